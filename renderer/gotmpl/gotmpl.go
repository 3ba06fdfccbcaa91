// Package gotmpl renders ApplicationSet templates the way Argo CD 3.6 does: each string is a template of
// its own over the parameters of one Application, in the order in which the caller lists the strings.
package gotmpl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/template"

	"sigs.k8s.io/yaml"
)

// maxOutput bounds the text of one field; a Kubernetes object cannot be larger than 1.5 MiB.
const maxOutput = 4 << 20

// maxAnswer is where an answer ends, so that no batch needs more memory than one large field: the caller asks again
// for the sets that have no row yet.
const maxAnswer = 8 << 20

// Header is the first line of a request; the parameter sets follow as one JSON array.
type Header struct {
	// Op is "render", "yaml" (texts to JSON) or "slugs" (texts to names); the latter two take no parameter sets.
	Op string `json:"op"`
	// Texts are rendered in this order for each parameter set; what a text sets is seen by the next.
	Texts []string `json:"texts"`
	// Options are text/template's, such as missingkey=error.
	Options []string `json:"options"`
	// Independent: an error in one text does not end the parameter set, nor the batch.
	Independent bool `json:"independent"`
}

// Failure is an error of one text.
type Failure struct {
	Error string `json:"error"`
	Text  int    `json:"text"`
}

// engine keeps the parsed templates of the batch at hand.
type engine struct {
	base    *template.Template
	options []string
	parsed  map[string]parsed
	depth   int
}

type parsed struct {
	t   *template.Template
	err error
}

var shared *engine

func engineFor(options []string) (e *engine, err error) {
	if shared != nil && strings.Join(shared.options, "\n") == strings.Join(options, "\n") && len(shared.parsed) < 1000 {
		shared.depth = 0
		return shared, nil
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	e = &engine{options: options, parsed: map[string]parsed{}}
	e.base = template.New("base").Funcs(functions()).Option(options...)
	shared = e
	return e, nil
}

func (e *engine) parse(text string) (*template.Template, error) {
	if known, ok := e.parsed[text]; ok {
		return known.t, known.err
	}
	t, err := e.base.Clone()
	if err == nil {
		t, err = t.Funcs(template.FuncMap{"tpl": e.tplOf(t)}).Parse(text)
	}
	if err != nil {
		err = fmt.Errorf("failed to parse template %s: %w", text, err)
	}
	e.parsed[text] = parsed{t, err}
	return t, err
}

func (e *engine) render(text string, data any) (string, error) {
	if !strings.Contains(text, "{{") {
		return text, nil
	}
	t, err := e.parse(text)
	if err != nil {
		return "", err
	}
	var out bounded
	if err := t.Execute(&out, data); err != nil {
		return "", fmt.Errorf("failed to execute go template %s: %w", text, err)
	}
	return out.String(), nil
}

// tplOf is the function tpl of one field's template: the text that it renders sees what the field defines, and what
// it defines itself ends with it. A missing value prints nothing there.
func (e *engine) tplOf(parent *template.Template) func(string, any) (string, error) {
	return func(text string, data any) (string, error) {
		if e.depth >= maxTplDepth {
			return "", errTplDepth
		}
		e.depth++
		defer func() { e.depth-- }()
		t, err := parent.Clone()
		if err != nil {
			return "", err
		}
		if t, err = t.New(parent.Name()).Parse(text); err != nil {
			return "", fmt.Errorf("cannot parse template %q: %w", text, err)
		}
		var out bounded
		if err := t.Execute(&out, data); err != nil {
			return "", fmt.Errorf("error during tpl function execution for %q: %w", text, err)
		}
		return strings.ReplaceAll(out.String(), "<no value>", ""), nil
	}
}

type bounded struct{ bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxOutput {
		return 0, errors.New("the field is larger than 4 MiB")
	}
	return b.Buffer.Write(p)
}

// Call answers one request: a Header as JSON, a newline, and the parameter sets as a JSON array. The answer
// is {"rows": [[text | Failure, …], …], "failure"?: Failure}; rows end where a failure or maxAnswer ended the batch.
func Call(request []byte) ([]byte, error) {
	line, rest, _ := bytes.Cut(request, []byte("\n"))
	var h Header
	if err := json.Unmarshal(line, &h); err != nil {
		return nil, err
	}
	if h.Op == "yaml" {
		return toJSON(h.Texts), nil
	}
	if h.Op == "slugs" {
		return slugs(h.Texts), nil
	}
	return renderAll(h, rest)
}

func renderAll(h Header, sets []byte) ([]byte, error) {
	d := &decoder{in: sets, keys: map[string]string{}}
	if d.next() != '[' {
		return nil, errParams
	}
	d.at++
	out := append(make([]byte, 0, len(sets)), `{"rows":[`...)
	e, err := engineFor(h.Options)
	if err != nil {
		return failed(out, Failure{err.Error(), 0}), nil
	}
	for first := true; ; first = false {
		switch d.next() {
		case ']':
			return append(out, "]}"...), nil
		case ',':
			d.at++
		}
		params, err := d.value()
		if err != nil {
			return nil, err
		}
		mark := len(out)
		if !first {
			out = append(out, ',')
		}
		var failure *Failure
		if out, failure = e.row(out, h, params); failure != nil {
			return failed(out[:mark], *failure), nil
		}
		if len(out) > maxAnswer {
			return append(out, "]}"...), nil
		}
	}
}

func failed(out []byte, f Failure) []byte {
	text, _ := json.Marshal(f)
	return append(append(append(out, `],"failure":`...), text...), '}')
}

func (e *engine) row(out []byte, h Header, params any) ([]byte, *Failure) {
	out = append(out, '[')
	for i, text := range h.Texts {
		progress(i)
		if i > 0 {
			out = append(out, ',')
		}
		rendered, err := e.render(text, params)
		switch {
		case err == nil:
			out = appendText(out, rendered)
		case h.Independent:
			one, _ := json.Marshal(Failure{err.Error(), i})
			out = append(out, one...)
		default:
			return out, &Failure{err.Error(), i}
		}
	}
	return append(out, ']'), nil
}

// toJSON reads each text's first YAML document as Kubernetes does; a row is [JSON text] or [Failure].
func toJSON(texts []string) []byte {
	out := []byte(`{"rows":[`)
	for i, text := range texts {
		progress(i)
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, '[')
		converted, err := yaml.YAMLToJSON([]byte(text))
		if err != nil {
			one, _ := json.Marshal(Failure{err.Error(), i})
			out = append(out, one...)
		} else {
			out = appendText(out, string(converted))
		}
		out = append(out, ']')
	}
	return append(out, "]}"...)
}

// slugs answers each text as a name of at most 50 bytes, cut at a word; a row is [slug].
func slugs(texts []string) []byte {
	out := []byte(`{"rows":[`)
	for i, text := range texts {
		progress(i)
		if i > 0 {
			out = append(out, ',')
		}
		out = append(appendText(append(out, '['), slugOf(text)), ']')
	}
	return append(out, "]}"...)
}
