package gotmpl

import (
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// The types that a parameter has in Go decide what a template may do with it (sprig's hasKey takes no
// map[string]string), and JSON cannot say them: an object whose only key is one of these stands for its value.
const (
	tagStringMap  = "\x01m"
	tagStringList = "\x01l"
	tagMapList    = "\x01c"
	tagInt        = "\x01i"
	tagRaw        = "\x01j"
)

// rawJSON is apiextensions' JSON: what a plugin generator was given prints as its bytes, and is a value to toJson.
type rawJSON struct{ Raw []byte }

func (r rawJSON) MarshalJSON() ([]byte, error) { return r.Raw, nil }

const maxDepth = 200

var errParams = errors.New("the parameters are not JSON")

// decoder reads JSON into Go's generic values; it takes a third of encoding/json's time, and keeps
// each key once.
type decoder struct {
	in    []byte
	at    int
	keys  map[string]string
	depth int
}

func (d *decoder) space() {
	for d.at < len(d.in) && (d.in[d.at] == ' ' || d.in[d.at] == '\n' || d.in[d.at] == '\t' || d.in[d.at] == '\r') {
		d.at++
	}
}

func (d *decoder) next() byte {
	d.space()
	if d.at >= len(d.in) {
		return 0
	}
	return d.in[d.at]
}

func (d *decoder) value() (any, error) {
	switch c := d.next(); {
	case c == '{':
		m, err := d.object()
		if err != nil {
			return nil, err
		}
		return untag(m), nil
	case c == '[':
		return d.array()
	case c == '"':
		return d.text()
	case c == 't':
		return true, d.word("true")
	case c == 'f':
		return false, d.word("false")
	case c == 'n':
		return nil, d.word("null")
	case c == '-' || c >= '0' && c <= '9':
		return d.number()
	}
	return nil, errParams
}

func (d *decoder) word(w string) error {
	if len(d.in)-d.at < len(w) || string(d.in[d.at:d.at+len(w)]) != w {
		return errParams
	}
	d.at += len(w)
	return nil
}

func (d *decoder) number() (any, error) {
	start := d.at
	for d.at < len(d.in) {
		switch d.in[d.at] {
		case '+', '-', '.', 'e', 'E', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			d.at++
			continue
		}
		break
	}
	return strconv.ParseFloat(string(d.in[start:d.at]), 64)
}

func (d *decoder) enter() error {
	if d.depth++; d.depth > maxDepth {
		return errors.New("the parameters are nested too deeply")
	}
	d.at++
	return nil
}

func (d *decoder) leave() { d.depth--; d.at++ }

func (d *decoder) object() (map[string]any, error) {
	if err := d.enter(); err != nil {
		return nil, err
	}
	m := map[string]any{}
	for {
		switch d.next() {
		case '}':
			d.leave()
			return m, nil
		case ',':
			d.at++
			continue
		case '"':
		default:
			return nil, errParams
		}
		key, err := d.key()
		if err != nil {
			return nil, err
		}
		if d.next() != ':' {
			return nil, errParams
		}
		d.at++
		if m[key], err = d.value(); err != nil {
			return nil, err
		}
	}
}

func (d *decoder) array() (any, error) {
	if err := d.enter(); err != nil {
		return nil, err
	}
	list := []any{}
	for {
		switch d.next() {
		case ']':
			d.leave()
			return list, nil
		case ',':
			d.at++
			continue
		}
		v, err := d.value()
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
}

// plain finds the end of a string without escapes; -1 when it has one.
func (d *decoder) plain() int {
	for i := d.at + 1; i < len(d.in); i++ {
		switch d.in[i] {
		case '"':
			return i
		case '\\':
			return -1
		}
	}
	return -1
}

func (d *decoder) key() (string, error) {
	end := d.plain()
	if end < 0 {
		return d.escaped()
	}
	raw := d.in[d.at+1 : end]
	d.at = end + 1
	if known, ok := d.keys[string(raw)]; ok {
		return known, nil
	}
	key := string(raw)
	if len(d.keys) < 4096 {
		d.keys[key] = key
	}
	return key, nil
}

func (d *decoder) text() (string, error) {
	end := d.plain()
	if end < 0 {
		return d.escaped()
	}
	s := string(d.in[d.at+1 : end])
	d.at = end + 1
	return s, nil
}

func (d *decoder) escaped() (string, error) {
	out := []byte{}
	for d.at++; d.at < len(d.in); d.at++ {
		c := d.in[d.at]
		switch {
		case c == '"':
			d.at++
			return string(out), nil
		case c != '\\':
			out = append(out, c)
		default:
			if d.at++; d.at >= len(d.in) {
				return "", errParams
			}
			var err error
			if out, err = d.escape(out); err != nil {
				return "", err
			}
		}
	}
	return "", errParams
}

func (d *decoder) escape(out []byte) ([]byte, error) {
	switch c := d.in[d.at]; c {
	case 'n':
		return append(out, '\n'), nil
	case 't':
		return append(out, '\t'), nil
	case 'r':
		return append(out, '\r'), nil
	case 'b':
		return append(out, '\b'), nil
	case 'f':
		return append(out, '\f'), nil
	case 'u':
		r, err := d.unit()
		if err != nil {
			return nil, err
		}
		if utf16.IsSurrogate(r) {
			if d.at+2 < len(d.in) && d.in[d.at+1] == '\\' && d.in[d.at+2] == 'u' {
				d.at += 2
				low, err := d.unit()
				if err != nil {
					return nil, err
				}
				r = utf16.DecodeRune(r, low)
			} else {
				r = utf8.RuneError
			}
		}
		return utf8.AppendRune(out, r), nil
	default:
		return append(out, c), nil
	}
}

// unit reads the four digits after `\u` and stops on the last of them.
func (d *decoder) unit() (rune, error) {
	if d.at+4 >= len(d.in) {
		return 0, errParams
	}
	n, err := strconv.ParseUint(string(d.in[d.at+1:d.at+5]), 16, 32)
	d.at += 4
	return rune(n), err
}

// untag turns a tagged object into the typed value that it stands for; anything else stays.
func untag(m map[string]any) any {
	if len(m) != 1 {
		return m
	}
	for key, v := range m {
		switch key {
		case tagStringMap:
			if typed, ok := stringMap(v); ok {
				return typed
			}
		case tagStringList:
			if typed, ok := listOf[string](v); ok {
				return typed
			}
		case tagMapList:
			if typed, ok := listOf[map[string]any](v); ok {
				return typed
			}
		case tagInt:
			if number, ok := v.(float64); ok {
				return int(number)
			}
		case tagRaw:
			if text, ok := v.(string); ok && json.Valid([]byte(text)) {
				return rawJSON{[]byte(text)}
			}
		}
	}
	return m
}

func stringMap(v any) (map[string]string, bool) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, false
	}
	typed := make(map[string]string, len(m))
	for k, member := range m {
		if typed[k], ok = member.(string); !ok {
			return nil, false
		}
	}
	return typed, true
}

func listOf[T any](v any) ([]T, bool) {
	list, ok := v.([]any)
	if !ok {
		return nil, false
	}
	typed := make([]T, len(list))
	for i, member := range list {
		if typed[i], ok = member.(T); !ok {
			return nil, false
		}
	}
	return typed, true
}
