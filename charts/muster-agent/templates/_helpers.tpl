{{- define "agent.name" -}}
{{- /* Short enough for the longest name made of it, NAME-join-token. */ -}}
{{- default .Chart.Name .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end }}
{{- define "agent.selector" -}}
app.kubernetes.io/name: muster-agent
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
{{- define "agent.labels" -}}
{{ include "agent.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: muster
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}
{{- define "agent.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ default (include "agent.name" .) .Values.serviceAccount.name }}{{ else }}{{ default "default" .Values.serviceAccount.name }}{{ end }}
{{- end }}
{{- define "agent.enrolAddress" -}}
{{- if .Values.hub.enrolAddress }}{{ .Values.hub.enrolAddress }}{{ else -}}
{{- $port := regexFind "[0-9]+$" .Values.hub.address -}}
{{- printf "%s%d" (trimSuffix $port .Values.hub.address) (add1 (int $port)) -}}
{{- end }}
{{- end }}
{{- define "agent.reads" -}}
{{- /* "true" where it writes nothing as itself. */ -}}
{{- if or .Values.impersonation.required (eq (join "," .Values.limits.verbs) "observe-only") }}true{{ end -}}
{{- end }}
{{- define "agent.verbs" -}}
{{- /* What its roles let it do to what is in Git. */ -}}
{{- if include "agent.reads" . }}[get, list, watch]{{ else }}["*"]{{ end -}}
{{- end }}
{{- define "agent.anyAccount" -}}
{{- /* "true" where the accounts it acts as cannot be named one by one. */ -}}
{{- with .Values.impersonation }}{{ if or (not .serviceAccounts) (contains "*" (join "," .serviceAccounts)) }}true{{ end }}{{ end -}}
{{- end }}
{{- define "agent.tokenSecret" -}}
{{- default (printf "%s-join-token" (include "agent.name" .)) .Values.existingTokenSecret -}}
{{- end }}
