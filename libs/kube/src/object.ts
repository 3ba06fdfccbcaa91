/** A Kubernetes object as JSON; nothing but its identity is typed, so unknown kinds and fields pass through. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

/** The members of `metadata` that Muster reads. */
export interface ObjectMeta {
  name?: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  [field: string]: unknown;
}

/** Group and kind name a type whatever version serves it. */
export interface GroupKind {
  group: string;
  kind: string;
}

/** What names one object; `namespace` is empty for cluster-scoped objects. */
export interface ObjectKey extends GroupKind {
  version: string;
  namespace: string;
  name: string;
}

/** `apps/v1` → group `apps`, version `v1`; `v1` → the core group, which is empty. */
export function parseApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/');
  return slash < 0
    ? { group: '', version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

/** The inverse of `parseApiVersion`. */
export function formatApiVersion(group: string, version: string): string {
  return group ? `${group}/${version}` : version;
}

/** The key of an object; a missing namespace or name is empty. */
export function keyOf(object: KubeObject): ObjectKey {
  const { group, version } = parseApiVersion(object.apiVersion);
  return {
    group,
    version,
    kind: object.kind,
    namespace: object.metadata?.namespace ?? '',
    name: object.metadata?.name ?? '',
  };
}

/** `group/Kind/namespace/name`: equal for one object whatever version it is written in. Stable: stored in records. */
export function keyString(key: Omit<ObjectKey, 'version'>): string {
  return `${key.group}/${key.kind}/${key.namespace}/${key.name}`;
}

/** The inverse of `keyString`; undefined for text that is none. */
export function parseKeyString(text: string): Omit<ObjectKey, 'version'> | undefined {
  const parts = text.split('/');
  if (parts.length !== 4 || !parts[1] || !parts[3]) return undefined;
  return { group: parts[0]!, kind: parts[1], namespace: parts[2]!, name: parts[3] };
}

/** `keyString` of an object. */
export function identityOf(object: KubeObject): string {
  return keyString(keyOf(object));
}

/** `group/Kind`, or the bare Kind in the core group: the key of health checks and scopes. */
export function groupKindString({ group, kind }: GroupKind): string {
  return group ? `${group}/${kind}` : kind;
}

/** For people: `Deployment.apps prod/web`. */
export function describeKey(key: Omit<ObjectKey, 'version'>): string {
  const type = key.group ? `${key.kind}.${key.group}` : key.kind;
  return `${type} ${key.namespace ? `${key.namespace}/` : ''}${key.name}`;
}

/** The value of an annotation, if it is text. */
export function annotationOf(object: KubeObject, name: string): string | undefined {
  const value: unknown = object.metadata?.annotations?.[name];
  return typeof value === 'string' ? value : undefined;
}

/** The different comma-separated values of an annotation, trimmed, without empty ones. */
export function annotationList(object: KubeObject, name: string): string[] {
  const items = (annotationOf(object, name) ?? '').split(',').map((item) => item.trim());
  return [...new Set(items.filter((item) => item !== ''))];
}

/** Whether a value is a JSON object (not null, not a list). */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
