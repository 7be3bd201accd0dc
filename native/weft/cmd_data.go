package main

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// download is one file of a data set. The sum is of the uncompressed contents: mirrors compress anew.
type download struct {
	name   string
	sha256 string
	size   int64 // uncompressed bytes
}

type dataset struct {
	name, about string
	mirrors     []string
	files       []download
}

var datasets = []dataset{
	{"mnist", "handwritten digits, 60,000 + 10,000 images of 28x28 (LeCun, Cortes, Burges)",
		[]string{"https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"},
		[]download{
			{"train-images-idx3-ubyte.gz", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db", 47040016},
			{"train-labels-idx1-ubyte.gz", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5", 60008},
			{"t10k-images-idx3-ubyte.gz", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7", 7840016},
			{"t10k-labels-idx1-ubyte.gz", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2", 10008},
		}},
	{"fashion-mnist", "clothing, 60,000 + 10,000 images of 28x28 (Xiao, Rasul, Vollgraf, Zalando)",
		[]string{"https://fashion-mnist.s3.eu-central-1.amazonaws.com/", "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"},
		[]download{
			{"train-images-idx3-ubyte.gz", "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888", 47040016},
			{"train-labels-idx1-ubyte.gz", "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9", 60008},
			{"t10k-images-idx3-ubyte.gz", "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b", 7840016},
			{"t10k-labels-idx1-ubyte.gz", "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34", 10008},
		}},
}

func (c *cli) dataCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "data",
		Short:   "Fetch the data sets that the examples use",
		Example: "  weft data get mnist",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("weft data has no command %q; there is \"weft data get\"", args[0])
			}
			return cmd.Help()
		},
	}
	var dir, mirror string
	names := make([]string, len(datasets))
	for i, d := range datasets {
		names[i] = d.name
	}
	get := &cobra.Command{
		Use:   "get " + strings.Join(names, "|"),
		Short: "Download a data set, check its sums, resume what was interrupted",
		Long: `Downloads the files of a data set into a folder, checks the SHA-256 of their contents, and goes on where an
interrupted download stopped. Files that are there and correct are left alone.`,
		Example:   "  weft data get mnist --dir ./mnist",
		ValidArgs: names,
		Args:      exactArgs(1, "the name of a data set ("+strings.Join(names, ", ")+")"),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, d := range datasets {
				if d.name == args[0] {
					if dir == "" {
						dir = d.name
					}
					return c.fetchDataset(cmd.Context(), d, dir, mirror)
				}
			}
			return usagef("no data set is called %q; there are %s", args[0], strings.Join(names, " and "))
		},
	}
	get.Flags().StringVar(&dir, "dir", "", "folder to put the files in (default: the name of the data set)")
	get.Flags().StringVar(&mirror, "mirror", "", "base URL to fetch from in place of the usual ones")
	cmd.AddCommand(get)
	return cmd
}

func (c *cli) fetchDataset(ctx context.Context, d dataset, dir, mirror string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	mirrors := d.mirrors
	if mirror != "" {
		mirrors = []string{strings.TrimSuffix(mirror, "/") + "/"}
	}
	var fetched, kept []string
	for _, f := range d.files {
		path := filepath.Join(dir, f.name)
		if checkDownload(path, f) == nil {
			fmt.Fprintf(c.stderr, "%s is there\n", path)
			kept = append(kept, path)
			continue
		}
		var errs []error
		ok := false
		for _, m := range mirrors {
			err := c.fetchFile(ctx, m+f.name, path, f)
			if err == nil {
				ok = true
				break
			}
			if ctx.Err() != nil {
				return interrupted{"stopped; run the same command again to go on with " + path}
			}
			errs = append(errs, err)
		}
		if !ok {
			return fmt.Errorf("%s: %w\nTry again, or give another source with --mirror URL.", f.name, errors.Join(errs...))
		}
		fetched = append(fetched, path)
	}
	if c.json {
		c.printJSON(map[string]any{"dataset": d.name, "dir": dir, "fetched": nonNil(fetched), "kept": nonNil(kept)})
	} else {
		fmt.Fprintf(c.stdout, "%s: %s\nin %s; train with: weft train lenet --data %s\n", d.name, d.about, dir, dir)
	}
	return nil
}

func nonNil(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// checkDownload reports whether the file's uncompressed contents are the expected ones.
func checkDownload(path string, f download) error {
	r, err := os.Open(path)
	if err != nil {
		return err
	}
	defer r.Close()
	z, err := gzip.NewReader(r)
	if err != nil {
		return fmt.Errorf("%s is no gzip file: %w", path, err)
	}
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(z, f.size+1)) // never unpack more than there should be
	if err != nil {
		return fmt.Errorf("%s is damaged: %w", path, err)
	}
	if n != f.size || hex.EncodeToString(h.Sum(nil)) != f.sha256 {
		return fmt.Errorf("%s does not have the expected contents (SHA-256 of the uncompressed data differs)", path)
	}
	return nil
}

// maxDownload bounds a compressed file: no file of the data sets is larger.
const maxDownload = 64 << 20

var httpClient = &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, ResponseHeaderTimeout: 30 * time.Second}}

// fetchFile downloads to path + ".part", going on where an earlier try stopped, checks the sum and renames.
func (c *cli) fetchFile(ctx context.Context, url, path string, f download) error {
	part := path + ".part"
	for {
		resumed, err := c.fetchPart(ctx, url, part)
		if err != nil {
			return err
		}
		err = checkDownload(part, f)
		if err == nil {
			return os.Rename(part, path)
		}
		os.Remove(part)
		if !resumed {
			return fmt.Errorf("%s: %w", url, err)
		}
		// The wrong bytes may be those of the earlier try: once more from the start.
		fmt.Fprintf(c.stderr, "%s: what an earlier try left is of no use, starting again\n", path)
	}
}

// fetchPart appends what is missing to the part file; resumed says that some of it was there before.
func (c *cli) fetchPart(ctx context.Context, url, part string) (resumed bool, err error) {
	out, err := os.OpenFile(part, os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return false, err
	}
	defer out.Close()
	have, err := out.Seek(0, io.SeekEnd)
	if err != nil {
		return false, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false, err
	}
	if have > 0 {
		req.Header.Set("Range", "bytes="+strconv.FormatInt(have, 10)+"-")
	}
	resp, err := httpClient.Do(req)
	if err != nil {
		removeEmpty(part)
		return false, err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusRequestedRangeNotSatisfiable && have > 0:
		return true, nil // all of it is there; the sum decides
	case resp.StatusCode == http.StatusOK && have > 0: // the server knows no ranges
		if err := out.Truncate(0); err != nil {
			return false, err
		}
		if _, err := out.Seek(0, io.SeekStart); err != nil {
			return false, err
		}
		have = 0
	case resp.StatusCode == http.StatusPartialContent && have > 0:
		if r := resp.Header.Get("Content-Range"); !strings.HasPrefix(r, fmt.Sprintf("bytes %d-", have)) {
			return false, fmt.Errorf("%s: asked for the bytes from %d on, the server sends %q", url, have, r)
		}
	case resp.StatusCode == http.StatusOK:
	default:
		removeEmpty(part)
		return false, fmt.Errorf("%s: the server answers %s", url, resp.Status)
	}
	if have > 0 {
		fmt.Fprintf(c.stderr, "%s, going on after %d bytes\n", url, have)
	} else {
		fmt.Fprintf(c.stderr, "%s\n", url)
	}
	n, err := io.Copy(out, io.LimitReader(resp.Body, maxDownload-have+1))
	if err != nil {
		return false, fmt.Errorf("%s stopped after %d bytes: %w", url, have+n, err)
	}
	if have+n > maxDownload {
		return false, fmt.Errorf("%s is larger than any file of the data set; is it the right address?", url)
	}
	return have > 0, out.Close()
}

// removeEmpty leaves no empty file behind a request that brought nothing.
func removeEmpty(path string) {
	if st, err := os.Stat(path); err == nil && st.Size() == 0 {
		os.Remove(path)
	}
}
