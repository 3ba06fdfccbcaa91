package gotmpl

import "testing"

func answer(t *testing.T, request string) string {
	t.Helper()
	out, err := Call([]byte(request))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestEachTextIsATemplateAndSeesWhatTheOneBeforeSet(t *testing.T) {
	got := answer(t, `{"op":"render","texts":["{{ $_ := set . \"z\" (upper .z) }}{{.n}}","{{.z}}","plain"]}`+"\n"+`[{"n":"a","z":"x"},{"n":"b","z":"y"}]`)
	if want := `{"rows":[["a","X","plain"],["b","Y","plain"]]}`; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
}

func TestTypedParametersAreGoTypes(t *testing.T) {
	got := answer(t, `{"op":"render","texts":["{{ typeOf .m }} {{ typeOf .l }} {{ typeOf .c }} {{ .n }}"]}`+"\n"+
		`[{"m":{"\u0001m":{"a":"b"}},"l":{"\u0001l":["x"]},"c":{"\u0001c":[{"k":1}]},"n":1000000}]`)
	if want := `{"rows":[["map[string]string []string []map[string]interface {} 1e+06"]]}`; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
}

func TestAFailureEndsTheBatchUnlessTextsAreIndependent(t *testing.T) {
	got := answer(t, `{"op":"render","texts":["{{.a}}","{{.b.c}}"],"options":["missingkey=error"]}`+"\n"+`[{"a":"1","b":{"c":"é"}},{"a":"2"}]`)
	if want := `{"rows":[["1","é"]],"failure":{"error":"failed to execute go template {{.b.c}}: template: base:1:4: executing \"base\" at \u003c.b.c\u003e: map has no entry for key \"b\"","text":1}}`; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
	got = answer(t, `{"op":"render","texts":["{{ name }}","ok"],"independent":true}`+"\n"+`[{}]`)
	if want := `{"rows":[[{"error":"failed to parse template {{ name }}: template: base:1: function \"name\" not defined","text":0},"ok"]]}`; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
}

func TestAnUnknownOptionIsAFailure(t *testing.T) {
	got := answer(t, `{"op":"render","texts":["x"],"options":["nope"]}`+"\n"+`[{"a":"1"}]`)
	if want := `{"rows":[],"failure":{"error":"panic: unrecognized option: nope","text":0}}`; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
}

func TestTplIsAtMostThreeDeep(t *testing.T) {
	got := answer(t, `{"op":"render","texts":["{{ tpl .a . }}"]}`+"\n"+`[{"a":"{{ tpl .b . }}","b":"{{ tpl .c . }}","c":"end"}]`)
	if want := `{"rows":[["end"]]}`; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
	got = answer(t, `{"op":"render","texts":["{{ tpl .a . }}"],"independent":true}`+"\n"+`[{"a":"{{ tpl .a . }}"}]`)
	if got == `{"rows":[["end"]]}` || len(got) < 40 {
		t.Fatalf("got %s", got)
	}
}

func TestTplSeesWhatItsFieldDefinesAndPrintsNothingForWhatIsMissing(t *testing.T) {
	got := answer(t, `{"op":"render","texts":["{{ define \"y\" }}Y{{ .n }}{{ end }}{{ tpl .t . }}|{{ .nope }}"]}`+"\n"+
		`[{"n":"1","t":"{{ template \"y\" . }}-{{ .nope }}-{{ define \"y\" }}other{{ end }}"},{"n":"2","t":"{{ template \"y\" . }}<no value>"}]`)
	if want := `{"rows":[["other--|<no value>"],["Y2|<no value>"]]}`; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
}

func TestYamlIsReadAsKubernetesReadsIt(t *testing.T) {
	got := answer(t, `{"op":"yaml","texts":["a: yes\nb: 0755\nc: y\non: 1\n","[1","","a: .inf"]}`)
	if want := `{"rows":[["{\"a\":true,\"b\":493,\"c\":true,\"true\":1}"],[{"error":"yaml: line 1: did not find expected ',' or ']'","text":1}],["null"],[{"error":"json: unsupported value: +Inf","text":3}]]}`; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
}

func TestKeysAndValuesComeInOrder(t *testing.T) {
	got := answer(t, `{"op":"render","texts":["{{ keys .m .n | join \",\" }} {{ values .m | join \",\" }}"]}`+"\n"+`[{"m":{"c":3,"a":1,"b":2},"n":{"z":0,"y":0}}]`)
	if want := `{"rows":[["a,b,c,y,z 1,2,3"]]}`; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
}

func TestIntegersAndRawValuesAreGoTypes(t *testing.T) {
	got := answer(t, `{"op":"render","texts":["{{ printf \"%d\" .i }} {{ .i }} {{ .j }} {{ toJson .j }}"]}`+"\n"+
		`[{"i":{"\u0001i":1234567},"j":{"\u0001j":"\"a\""}}]`)
	if want := `{"rows":[["1234567 1234567 {[34 97 34]} \"a\""]]}`; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
}

func TestSlugsSpellOtherScripts(t *testing.T) {
	got := answer(t, `{"op":"slugs","texts":["Feature/Ünï_code","вѣтвь/北京","R&D@v1.2"]}`)
	if want := `{"rows":[["feature-uni-code"],["vetv-bei-jing"],["randdatv1-2"]]}`; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
}
