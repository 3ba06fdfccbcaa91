{{- define "hub.name" -}}
{{- /* Short enough for the longest name made of it, NAME-connections. */ -}}
{{- default .Chart.Name .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end }}
{{- define "hub.selector" -}}
app.kubernetes.io/name: muster-hub
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
{{- define "hub.labels" -}}
{{ include "hub.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: muster
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}
{{- define "hub.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ default (include "hub.name" .) .Values.serviceAccount.name }}{{ else }}{{ default "default" .Values.serviceAccount.name }}{{ end }}
{{- end }}
{{- define "hub.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- define "hub.external" -}}
{{- if or .Values.database.url .Values.database.existingSecret }}yes{{ end -}}
{{- end }}
{{- define "hub.check" -}}
{{- if and (gt (int .Values.replicas) 1) (not (include "hub.external" .)) -}}
{{- fail "replicas: more than one needs a database of its own: set database.url or database.existingSecret" -}}
{{- end -}}
{{- if and (include "hub.external" .) (not .Values.keys.existingSecret) -}}
{{- fail (printf "keys.existingSecret: a hub with a database of its own needs its keys from a Secret.\n%s\n  then: --set keys.existingSecret=muster-keys" (include "hub.makeKeys" .)) -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.publicUrl) -}}
{{- fail "publicUrl: the ingress needs it, for example https://muster.example.com" -}}
{{- end -}}
{{- end }}
{{- define "hub.makeKeys" }}
  mkdir -m 700 keys
  docker run --rm --user "$(id -u):$(id -g)" -v "$PWD/keys:/keys" {{ include "hub.image" . }} keys init --out /keys
  kubectl --namespace {{ .Release.Namespace }} create secret generic muster-keys --from-file=keys
{{- end }}
