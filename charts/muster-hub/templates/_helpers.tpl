{{- define "hub.name" -}}
{{- default .Chart.Name .Release.Name | trunc 63 | trimSuffix "-" -}}
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
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}
{{- define "hub.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ default (include "hub.name" .) .Values.serviceAccount.name }}{{ else }}{{ default "default" .Values.serviceAccount.name }}{{ end }}
{{- end }}
{{- define "hub.external" -}}
{{- if or .Values.database.url .Values.database.existingSecret }}yes{{ end -}}
{{- end }}
{{- define "hub.check" -}}
{{- if and (gt (int .Values.replicas) 1) (not (include "hub.external" .)) -}}
{{- fail "replicas: more than one needs a database of its own: set database.url or database.existingSecret" -}}
{{- end -}}
{{- if and (include "hub.external" .) (not .Values.keys.existingSecret) -}}
{{- fail "keys.existingSecret: a hub with its own database needs its keys from a Secret: run `muster keys init --out keys`, then `kubectl create secret generic muster-keys --from-file=keys`" -}}
{{- end -}}
{{- end }}
