// Reads a JSON list of YAML texts on stdin and writes what sigs.k8s.io/yaml makes of each: the golden file of yaml.test.ts.
package main

import (
	"encoding/json"
	"os"

	"sigs.k8s.io/yaml"
)

type answer struct {
	YAML  string          `json:"yaml"`
	JSON  json.RawMessage `json:"json,omitempty"`
	Error string          `json:"error,omitempty"`
}

func main() {
	var texts []string
	if err := json.NewDecoder(os.Stdin).Decode(&texts); err != nil {
		panic(err)
	}
	answers := make([]answer, 0, len(texts))
	for _, text := range texts {
		a := answer{YAML: text}
		out, err := yaml.YAMLToJSON([]byte(text))
		if err != nil {
			a.Error = err.Error()
		} else {
			a.JSON = out
		}
		answers = append(answers, a)
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(answers); err != nil {
		panic(err)
	}
}
