package compile

import "strconv"

// Trace returns the profile's events in the trace event format that Perfetto and chrome://tracing show: a row for each thread, runs of programs with
// their steps inside. Times are microseconds.
func (p *Profile) Trace() []byte {
	b := append([]byte(nil), `{"displayTimeUnit":"ns","traceEvents":[`...)
	for t := range p.Threads {
		b = append(b, `{"ph":"M","pid":1,"tid":`...)
		b = strconv.AppendInt(b, int64(t), 10)
		b = append(b, `,"name":"thread_name","args":{"name":"thread `...)
		b = strconv.AppendInt(b, int64(t), 10)
		b = append(b, "\"}},\n"...)
	}
	b = append(b, `{"ph":"M","pid":1,"tid":0,"name":"process_name","args":{"name":"weft"}}`...)
	for i := range p.Events {
		e := &p.Events[i]
		b = append(b, ",\n{\"ph\":\"X\",\"pid\":1,\"tid\":"...)
		b = strconv.AppendInt(b, int64(e.Thread), 10)
		b = micros(append(b, `,"ts":`...), e.Start)
		b = micros(append(b, `,"dur":`...), e.Nanos)
		b = append(b, `,"name":`...)
		if e.Row < 0 {
			b = append(b, `"run","cat":"program"}`...)
			continue
		}
		r := &p.Rows[e.Row]
		name := r.Operator
		if r.Node != "" {
			name += " " + r.Node
		}
		b = quoted(b, name)
		b = append(b, `,"cat":"step","args":{"kernel":`...)
		b = quoted(b, e.Kernel.Name)
		b = append(b, `,"program":`...)
		b = strconv.AppendInt(b, int64(r.Program), 10)
		b = shapes(append(b, `,"inputs":`...), r.Inputs)
		b = shapes(append(b, `,"outputs":`...), r.Outputs)
		b = append(b, `,"flops":`...)
		b = strconv.AppendFloat(b, r.FLOPs, 'f', -1, 64)
		b = append(b, `,"bytes":`...)
		b = strconv.AppendInt(b, r.Bytes, 10)
		b = append(b, "}}"...)
	}
	return append(b, "]}\n"...)
}

func micros(b []byte, nanos int64) []byte {
	return strconv.AppendFloat(b, float64(nanos)/1e3, 'f', 3, 64)
}

func shapes(b []byte, list [][]int) []byte {
	b = append(b, '"')
	for i, s := range list {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(b, '[')
		for k, d := range s {
			if k > 0 {
				b = append(b, ' ')
			}
			b = strconv.AppendInt(b, int64(d), 10)
		}
		b = append(b, ']')
	}
	return append(b, '"')
}

// quoted appends a string as JSON.
func quoted(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < 0x20:
			b = append(b, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			b = append(b, string(r)...)
		}
	}
	return append(b, '"')
}
