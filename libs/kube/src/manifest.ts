import { MusterError, parseDocuments, type YamlOptions } from '@muster/base';
import {
  type GroupKind,
  groupKindString,
  identityOf,
  isRecord,
  type KubeObject,
  parseApiVersion,
} from './object.ts';

/** A file of manifests: YAML or JSON, any number of documents. */
export interface ManifestFile {
  path: string;
  content: string | Uint8Array;
}

/** An object and where it was written; `line` counts from 1 and is that of the document. */
export interface Manifest {
  object: KubeObject;
  file: string;
  line: number;
}

/** What could be read and what could not: one error a file or object, each with `file:line`. */
export interface ParsedManifests {
  manifests: Manifest[];
  errors: MusterError[];
}

/** Reads manifests, takes lists apart and checks each object. Never throws: what is wrong is in `errors`. */
export function parseManifests(
  files: Iterable<ManifestFile>,
  bounds: Omit<YamlOptions, 'file'> = {},
): ParsedManifests {
  const manifests: Manifest[] = [];
  const errors: MusterError[] = [];
  for (const file of files) {
    try {
      for (const { value, line } of parseDocuments(file.content, { ...bounds, file: file.path })) {
        collect(value, file.path, line, '', manifests, errors);
      }
    } catch (thrown) {
      errors.push(MusterError.from(thrown));
    }
  }
  return { manifests, errors };
}

function collect(
  value: unknown,
  file: string,
  line: number,
  inside: string,
  manifests: Manifest[],
  errors: MusterError[],
): void {
  const where = `${file}:${line}`;
  if (isList(value)) {
    value.items.forEach((item, index) => {
      const typed = isRecord(item) ? { ...typeOfItems(value), ...item } : item;
      collect(typed, file, line, `${inside}items[${index}]: `, manifests, errors);
    });
    return;
  }
  const problem = problemOf(value);
  if (problem) errors.push(new MusterError('invalid', inside + problem, { where }));
  else manifests.push({ object: value as KubeObject, file, line });
}

function isList(value: unknown): value is { apiVersion: unknown; kind: string; items: unknown[] } {
  return (
    isRecord(value) &&
    typeof value.kind === 'string' &&
    value.kind.endsWith('List') &&
    Array.isArray(value.items)
  );
}

/** Items of a typed list (`ConfigMapList`) may leave out their type; those of a plain `List` may not. */
function typeOfItems(list: { apiVersion: unknown; kind: string }): Record<string, unknown> {
  return list.kind === 'List'
    ? {}
    : { apiVersion: list.apiVersion, kind: list.kind.slice(0, -'List'.length) };
}

/** What is wrong with a manifest, in words; undefined when it names a type and an object. */
export function problemOf(value: unknown): string | undefined {
  if (!isRecord(value))
    return `expected a Kubernetes object, found ${Array.isArray(value) ? 'a list' : typeof value}`;
  const { apiVersion, kind, metadata } = value;
  if (typeof kind !== 'string' || kind === '') return 'kind is missing';
  if (typeof apiVersion !== 'string' || apiVersion === '') return `apiVersion of the ${kind} is missing`;
  if (!/^(?:[^/\s]+\/)?[^/\s]+$/.test(apiVersion)) return `apiVersion "${apiVersion}" is not group/version`;
  if (!isRecord(metadata)) return `metadata of the ${kind} is missing`;
  return problemOfMetadata(kind, metadata);
}

function problemOfMetadata(kind: string, metadata: Record<string, unknown>): string | undefined {
  const { name, generateName, namespace } = metadata;
  for (const [field, text] of Object.entries({ name, generateName, namespace })) {
    if (text === undefined || text === null) continue;
    if (typeof text !== 'string') {
      return `metadata.${field} of the ${kind} must be a string, found ${JSON.stringify(text)}`;
    }
    if (text === '.' || text === '..' || /[/%]/.test(text)) {
      return `metadata.${field} "${text}" of the ${kind} may not be "." or ".." nor hold "/" or "%"`;
    }
  }
  if (!name && !generateName) return `metadata.name of the ${kind} is missing`;
  for (const field of ['labels', 'annotations'] as const) {
    const map = metadata[field];
    if (map === undefined || map === null) continue;
    if (!isRecord(map)) return `metadata.${field} of ${kind} "${String(name ?? generateName)}" must be a map`;
    for (const [key, text] of Object.entries(map)) {
      if (typeof text !== 'string' && text !== null) {
        return (
          `metadata.${field}["${key}"] of ${kind} "${String(name ?? generateName)}" must be a string, ` +
          `found ${JSON.stringify(text)} (put it in quotes)`
        );
      }
    }
  }
  return undefined;
}

/** Whether objects of a type live in a namespace; undefined for a type that is not known. */
export type ScopeLookup = (type: GroupKind) => 'namespaced' | 'cluster' | undefined;

/**
 * The object in its namespace: the default one where it names none, none where its type is cluster-scoped.
 * An unknown type is left as it is written. The input is not changed.
 */
export function withNamespace(
  object: KubeObject,
  defaultNamespace: string,
  scopeOf: ScopeLookup,
): KubeObject {
  const scope = scopeOf({ group: parseApiVersion(object.apiVersion).group, kind: object.kind });
  const { namespace, ...metadata } = object.metadata;
  if (scope === 'cluster') return namespace === undefined ? object : { ...object, metadata };
  if (scope === 'namespaced' && !namespace && defaultNamespace) {
    return { ...object, metadata: { ...object.metadata, namespace: defaultNamespace } };
  }
  return object;
}

const CLUSTER_SCOPED = new Set([
  'ComponentStatus',
  'Namespace',
  'Node',
  'PersistentVolume',
  'admissionregistration.k8s.io/MutatingAdmissionPolicy',
  'admissionregistration.k8s.io/MutatingAdmissionPolicyBinding',
  'admissionregistration.k8s.io/MutatingWebhookConfiguration',
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy',
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding',
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration',
  'apiextensions.k8s.io/CustomResourceDefinition',
  'apiregistration.k8s.io/APIService',
  'certificates.k8s.io/CertificateSigningRequest',
  'certificates.k8s.io/ClusterTrustBundle',
  'flowcontrol.apiserver.k8s.io/FlowSchema',
  'flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration',
  'internal.apiserver.k8s.io/StorageVersion',
  'networking.k8s.io/IPAddress',
  'networking.k8s.io/IngressClass',
  'networking.k8s.io/ServiceCIDR',
  'node.k8s.io/RuntimeClass',
  'policy/PodSecurityPolicy',
  'rbac.authorization.k8s.io/ClusterRole',
  'rbac.authorization.k8s.io/ClusterRoleBinding',
  'resource.k8s.io/DeviceClass',
  'resource.k8s.io/DeviceTaintRule',
  'resource.k8s.io/ResourceSlice',
  'scheduling.k8s.io/PriorityClass',
  'storage.k8s.io/CSIDriver',
  'storage.k8s.io/CSINode',
  'storage.k8s.io/StorageClass',
  'storage.k8s.io/VolumeAttachment',
  'storage.k8s.io/VolumeAttributesClass',
  'storagemigration.k8s.io/StorageVersionMigration',
]);

const BUILT_IN_GROUPS = new Set([
  '',
  'apps',
  'autoscaling',
  'batch',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'policy',
  ...[...CLUSTER_SCOPED].filter((type) => type.includes('/')).map((type) => type.slice(0, type.indexOf('/'))),
]);

/** Scopes of Kubernetes' own types, for where no cluster can be asked. */
export const builtInScope: ScopeLookup = (type) => {
  if (!BUILT_IN_GROUPS.has(type.group)) return undefined;
  return CLUSTER_SCOPED.has(groupKindString(type)) ? 'cluster' : 'namespaced';
};

/** Scopes that the CustomResourceDefinitions among the objects declare; what they do not know is asked of `otherwise`. */
export function scopeWithDefinitions(
  objects: Iterable<KubeObject>,
  otherwise: ScopeLookup = builtInScope,
): ScopeLookup {
  const declared = new Map<string, 'namespaced' | 'cluster'>();
  for (const object of objects) {
    const type = definedType(object);
    if (!type) continue;
    const scope = (object.spec as { scope?: unknown }).scope;
    declared.set(groupKindString(type), scope === 'Cluster' ? 'cluster' : 'namespaced');
  }
  return (type) => declared.get(groupKindString(type)) ?? otherwise(type);
}

/** The type that a CustomResourceDefinition defines; undefined for any other object. */
export function definedType(object: KubeObject): GroupKind | undefined {
  if (object.kind !== 'CustomResourceDefinition') return undefined;
  if (parseApiVersion(object.apiVersion).group !== 'apiextensions.k8s.io' || !isRecord(object.spec))
    return undefined;
  const { group, names } = object.spec;
  if (typeof group !== 'string' || !isRecord(names) || typeof names.kind !== 'string') return undefined;
  return { group, kind: names.kind };
}

/** Objects written more than once, with every place: `identity → manifests`, only those with two or more. */
export function duplicatesOf(manifests: Iterable<Manifest>): Map<string, Manifest[]> {
  const places = new Map<string, Manifest[]>();
  for (const manifest of manifests) {
    if (!manifest.object.metadata.name) continue;
    const identity = identityOf(manifest.object);
    const known = places.get(identity);
    if (known) known.push(manifest);
    else places.set(identity, [manifest]);
  }
  return new Map([...places].filter(([, list]) => list.length > 1));
}
