package helm

import (
	"errors"
	"strings"
	"testing"
)

func TestACommaIsPartOfAValueUnlessItIsAList(t *testing.T) {
	for given, want := range map[string]string{"a,b": `a\,b`, `a\,b`: `a\,b`, "{a,b}": "{a,b}", "a": "a"} {
		if got := escapeCommas(given); got != want {
			t.Errorf("%s became %s, not %s", given, got, want)
		}
	}
}

func TestAnErrorDoesNotRepeatWhatAKeyCallsSecret(t *testing.T) {
	values := map[string]any{"db": map[string]any{"password": "hunter2"}, "name": "web-app"}
	got := withoutSecrets(errors.New("hunter2 of web-app"), values).Error()
	if strings.Contains(got, "hunter2") || !strings.Contains(got, "web-app") {
		t.Error(got)
	}
}
