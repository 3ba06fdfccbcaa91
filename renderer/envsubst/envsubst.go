// Package envsubst expands Argo CD's build environment ($ARGOCD_APP_NAME and the like) in fields of a spec.
package envsubst

import "os"

// Expand replaces $NAME and ${NAME}, an unknown one by nothing, and `$$` by `$`. Without an env it changes nothing.
func Expand(text string, env map[string]string) string {
	if env == nil {
		return text
	}
	return os.Expand(text, func(name string) string {
		if name == "$" {
			return "$"
		}
		return env[name]
	})
}
