{{- define "common.name" -}}{{ .Release.Name }}-{{ .Chart.Name }}{{- end -}}
{{- define "common.labels" -}}
{{- $base := dict "app.kubernetes.io/part-of" .root.Release.Name "app.kubernetes.io/component" .root.Chart.Name -}}
{{ toYaml (merge $base .extra) }}
{{- end -}}
