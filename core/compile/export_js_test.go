package compile

// StepsInGo returns the names of the kernels of the program's last run that the kernel module does not have.
func StepsInGo(p *Program) (names []string) {
	for i := range p.running.steps {
		if k := p.running.steps[i].Kernel; !k.Compiled() {
			names = append(names, k.Name)
		}
	}
	return names
}
