package helm

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"text/template"

	"crypto/rand"

	"helm.sh/helm/v4/pkg/chart/common"
)

// asked is set when a template looks at the cluster's capabilities. One render runs at a time, and a template
// may deep-copy its context, so the mark is not kept in the value itself.
var asked bool

// Recorded stands for `.Capabilities`: templates find its methods where they would find the fields.
type Recorded struct{ Of *common.Capabilities }

// KubeVersion is `.Capabilities.KubeVersion`.
func (r *Recorded) KubeVersion() *common.KubeVersion {
	asked = true
	return &r.Of.KubeVersion
}

// APIVersions is `.Capabilities.APIVersions`.
func (r *Recorded) APIVersions() common.VersionSet {
	asked = true
	return r.Of.APIVersions
}

// HelmVersion is `.Capabilities.HelmVersion`, which is the renderer's and not the cluster's.
func (r *Recorded) HelmVersion() any { return r.Of.HelmVersion }

// MarshalJSON serves toYaml and toJson.
func (r *Recorded) MarshalJSON() ([]byte, error) {
	asked = true
	return json.Marshal(r.Of)
}

// String serves printing the whole context.
func (r *Recorded) String() string {
	asked = true
	return fmt.Sprint(*r.Of)
}

// seededFuncs replaces the two sprig functions that draw on math/rand, whose state outlives a render and
// which the host cannot see, by ones that draw on the request's seed. All others use crypto/rand already.
func seededFuncs() template.FuncMap {
	return template.FuncMap{"randInt": randInt, "shuffle": shuffle}
}

func randInt(low, high int) (int, error) {
	if high <= low {
		return 0, fmt.Errorf("randInt: %d is not greater than %d", high, low)
	}
	n, err := below(high - low)
	return low + n, err
}

func shuffle(text string) (string, error) {
	runes := []rune(text)
	for i := len(runes) - 1; i > 0; i-- {
		j, err := below(i + 1)
		if err != nil {
			return "", err
		}
		runes[i], runes[j] = runes[j], runes[i]
	}
	var b strings.Builder
	for _, r := range runes {
		b.WriteRune(r)
	}
	return b.String(), nil
}

func below(limit int) (int, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(int64(limit)))
	if err != nil {
		return 0, err
	}
	return int(n.Int64()), nil
}
