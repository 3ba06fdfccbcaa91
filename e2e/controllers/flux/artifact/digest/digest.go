// Package digest names the algorithm of the digests of artifacts.
package digest

import (
	_ "crypto/sha256" // registers itself
	_ "crypto/sha512"
	"fmt"

	"github.com/opencontainers/go-digest"
)

// Canonical is the algorithm in use.
var Canonical = digest.SHA256

// AlgorithmForName answers the algorithm of that name.
func AlgorithmForName(name string) (digest.Algorithm, error) {
	if algorithm := digest.Algorithm(name); algorithm.Available() {
		return algorithm, nil
	}
	return "", fmt.Errorf("there is no digest algorithm %q", name)
}
