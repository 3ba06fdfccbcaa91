package gotmpl

import (
	"strconv"

	"muster.dev/renderer/host"
)

// progress tells the host which text is next, so that it can name the one that did not end. There is one
// way to the host, the question what a path is.
func progress(text int) {
	_, _ = host.Stat(strconv.Itoa(text))
}
