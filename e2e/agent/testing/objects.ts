/** Objects that tests assign, in the namespace of their Application. */

type Texts = Record<string, string>;

export const SYNC_OPTIONS = 'argocd.argoproj.io/sync-options';
export const SYNC_WAVE = 'argocd.argoproj.io/sync-wave';
export const HOOK = 'argocd.argoproj.io/hook';

export const configMap = (name: string, data: Texts = { a: '1' }, annotations: Texts = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...annotated(annotations) },
  data,
});

/** kwok's stages make its Pods run unless the image's tag is `broken`. */
export const deployment = (name: string, image = 'nginx:1') => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image }] } },
  },
});

/** kwok's stages end it by the tag of its image: `ok` succeeds, `failing` fails, `broken` never ends. */
export const job = (name: string, tag = 'ok', annotations: Texts = {}) => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, ...annotated(annotations) },
  spec: {
    backoffLimit: 0,
    template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: `job:${tag}` }] } },
  },
});

/** A Job that is a hook of this phase. */
export const hookJob = (name: string, phase: string, tag = 'ok', annotations: Texts = {}) =>
  job(name, tag, { [HOOK]: phase, ...annotations });

/** A CustomResourceDefinition of the group `example.org`, version v1, namespaced, of any content. */
export const definition = (kind: string, schema: object = {}) => {
  const plural = `${kind.toLowerCase()}s`;
  const versions = [
    { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', ...schema } } },
  ];
  const names = { kind, plural, singular: kind.toLowerCase() };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.example.org` },
    spec: { group: 'example.org', scope: 'Namespaced', names, versions },
  };
};

function annotated(annotations: Texts): { annotations?: Texts } {
  return Object.keys(annotations).length > 0 ? { annotations } : {};
}
