/** Files of Git with secrets in every way in which people keep them there, and in ways in which they break. */
import { stringify } from 'yaml';
import type { Canaries } from '../../src/index.ts';
import { configMap } from './documents.ts';
import type { Files } from './repository.ts';

export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

export const base64 = (text: string) => Buffer.from(text).toString('base64');

export const secret = (name: string, rest: object, metadata: object = {}) =>
  stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name, ...metadata }, ...rest });

const chart = (name: string) => `apiVersion: v2\nname: ${name}\nversion: 0.1.0\n`;

/** A folder for each Application. */
export function plantedFiles(canaries: Canaries): Files {
  return {
    'plain/s.yaml': secret('plain', {
      data: { a: base64(canaries.plant('data')) },
      stringData: { b: canaries.plant('stringData') },
    }),
    'plain/c.yaml': configMap('url', { url: `redis://:${canaries.plant('stringData')}@redis` }),
    'plain/l.yaml': secret(
      'applied',
      { stringData: { a: canaries.plant('applied') } },
      {
        annotations: {
          [LAST_APPLIED]: JSON.stringify({
            apiVersion: 'v1',
            kind: 'Secret',
            metadata: { name: 'applied' },
            stringData: { a: canaries.plant('last-applied in Git') },
          }),
        },
      },
    ),
    'refused/s.yaml': secret('refused', { stringData: { 'no key!': canaries.plant('invalid key') } }),
    'typed/s.yaml': secret('typed', { data: { password: `${canaries.plant('no base64')}!` } }),
    'immutable/s.yaml': secret('immutable', {
      immutable: true,
      stringData: { a: canaries.plant('immutable') },
    }),
    'broken/s.yaml': `${secret('broken', { stringData: { a: canaries.plant('broken YAML') } })}  b: "unfinished\n c: d: e\n`,
    'broken-values/Chart.yaml': chart('broken-values'),
    'broken-values/templates/a.yaml': 'a: b\n',
    'broken-values/prod.yaml': `password: ${canaries.plant('broken values file')}\n b: c: d\n`,
    'chart/Chart.yaml': chart('chart'),
    'chart/values.yaml': 'db: {}\nmode: ok\n',
    'chart/prod.yaml': `db:\n  password: ${canaries.plant('values file')}\n`,
    'chart/templates/s.yaml': [
      'apiVersion: v1',
      'kind: Secret',
      'metadata:',
      '  name: {{ .Release.Name }}',
      'stringData:',
      '  password: {{ .Values.db.password | quote }}',
      '  inline: {{ .Values.inline | quote }}',
      '{{- if eq .Values.mode "fail" }}{{ fail (printf "cannot connect with %s" (toJson .Values)) }}{{ end }}',
      '{{- if eq .Values.mode "broken" }}\n  : {{ .Values.inline }}: [{{ end }}',
      '',
    ].join('\n'),
    'kustomize/kustomization.yaml': stringify({
      secretGenerator: [
        { name: 'literals', literals: [`a=${canaries.plant('kustomize literal')}`] },
        { name: 'envs', envs: ['secret.env'] },
        { name: 'files', files: ['token.txt'] },
      ],
    }),
    'kustomize/secret.env': `PASSWORD=${canaries.plant('kustomize env')}\n`,
    'kustomize/token.txt': canaries.plant('kustomize file'),
    'kustomize-broken/kustomization.yaml': stringify({
      secretGenerator: [{ name: 'literals', literals: [canaries.plant('broken kustomize literal')] }],
    }),
    'hooks/s.yaml': secret(
      'for-hook',
      { stringData: { a: canaries.plant('hook') } },
      { annotations: { 'argocd.argoproj.io/hook': 'PreSync' } },
    ),
    'hooks/j.yaml': stringify({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'migrate', annotations: { 'argocd.argoproj.io/hook': 'PreSync' } },
      spec: {
        backoffLimit: 0,
        template: {
          spec: {
            restartPolicy: 'Never',
            containers: [
              {
                name: 'main',
                image: 'migrate:failing',
                env: [{ name: 'A', value: canaries.plant('hook') }],
              },
            ],
          },
        },
      },
    }),
  };
}
