import { FileView, type SyncFileSource } from './file-view.ts';
import type { Entry } from './request.ts';
import type { WarmUp } from './sandbox.ts';

const files: Record<string, string> = {
  'chart/Chart.yaml': 'apiVersion: v2\nname: warm\nversion: 1.0.0\n',
  'chart/values.yaml': 'replicas: 1\nlabels: {app: warm}\n',
  'chart/values.schema.json': '{"type":"object","properties":{"replicas":{"type":"integer"}}}',
  'chart/templates/_helpers.tpl': '{{ define "warm.labels" }}{{ toYaml .Values.labels }}{{ end }}',
  'chart/templates/deployment.yaml':
    'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name | trunc 63 | quote }}\n' +
    '  labels: {{ include "warm.labels" . | nindent 4 }}\nspec:\n  replicas: {{ .Values.replicas }}\n',
  'base/kustomization.yaml':
    'resources: [deployment.yaml]\nconfigMapGenerator: [{name: c, literals: [a=b]}]\n',
  'base/deployment.yaml':
    'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: warm\nspec:\n  template:\n    spec:\n' +
    '      containers: [{name: warm, image: warm}]\n',
  'overlay/kustomization.yaml':
    'resources: [../base]\nnamePrefix: a-\nlabels: [{pairs: {a: b}}]\nimages: [{name: warm, newTag: "1"}]\n' +
    'patches: [{patch: "apiVersion: apps/v1\\nkind: Deployment\\nmetadata: {name: warm}\\nspec: {replicas: 2}"}]\n',
};

const source: SyncFileSource = {
  list: (dir) => {
    const prefix = dir === '.' ? '' : `${dir}/`;
    const names = new Map<string, Entry>();
    for (const path of Object.keys(files).filter((p) => p.startsWith(prefix))) {
      const [name, ...rest] = path.slice(prefix.length).split('/');
      names.set(name!, { name: name!, type: rest.length > 0 ? 'dir' : 'file' });
    }
    return names.size > 0 ? [...names.values()] : undefined;
  },
  read: (path) => (path in files ? new TextEncoder().encode(files[path]) : undefined),
};

const bounds = { totalBytes: 1e6, fileBytes: 1e6, fileCount: 100, outputBytes: 1e6 };

/**
 * Renders a small chart and then a small overlay, so that what is parsed at first use (kustomize's schemas of the
 * Kubernetes API, regular expressions) is part of the snapshots, and each time has Go collect its garbage.
 */
export const warmUp: WarmUp = (call, keep, memoryMb) => {
  const world = () => ({ clock: 0, seed: new Uint8Array(32), used: { clock: false, random: false } });
  const run = (op: string, request: unknown) => {
    const body = new TextEncoder().encode(JSON.stringify(request));
    const answer = new TextDecoder().decode(call(op, body, world(), new FileView(source, bounds)));
    if ('error' in JSON.parse(answer)) throw new Error(`the renderer failed its warm-up: ${answer}`);
  };
  for (let i = 0; i < 2; i++) run('helm', { path: 'chart', releaseName: 'warm', namespace: 'warm' });
  run('settle', { memoryMb });
  keep();
  for (let i = 0; i < 2; i++) run('kustomize', { path: 'overlay', namespace: 'warm' });
  run('settle', { memoryMb });
};
