import { type FieldChange, formatPath, mergeKeysOf, maskChanges } from '../diff.ts';
import type { PathStep } from '../field-path.ts';
import { isRecord, keyOf, type KubeObject } from '../object.ts';
import { isSecret } from '../redact.ts';
import { APPLICATION_LABEL, TRACKING_ANNOTATION } from '../tracking.ts';
import { sameQuantity } from './quantity.ts';

/**
 * The fields of a manifest that an object does not have as written, Secrets masked: what an apply would write, judged
 * without asking the API server. What the manifest does not name is nobody's business here, as in server-side apply;
 * Muster's marks do not count. Kinds of Kubernetes itself are read as its API server reads them: zero values and
 * empty members may be left out, quantities have many spellings, lists of containers and the like are keyed.
 * What admission would change, it does not know.
 */
export function unmetFields(manifest: KubeObject, live: KubeObject): FieldChange[] {
  const compare = new Structure(isBuiltIn(keyOf(manifest).group));
  compare.member(contentOf(manifest), contentOf(live), []);
  return maskChanges(compare.changes, isSecret(manifest) || isSecret(live));
}

/** Lists whose elements have owners of their own: others may add some. */
const KEYED_LISTS = new Set([
  'containers',
  'initContainers',
  'ephemeralContainers',
  'volumes',
  'volumeMounts',
  'volumeDevices',
  'env',
  'ports',
  'imagePullSecrets',
  'secrets',
  'hostAliases',
  'topologySpreadConstraints',
  'resourceClaims',
  'webhooks',
  'ownerReferences',
]);
/** Sets of values: others may add some. */
const SETS = new Set(['finalizers']);
/** Maps that are one value: what others add makes another. */
const WHOLE_MAPS = new Set([
  'selector',
  'matchLabels',
  'nodeSelector',
  'podSelector',
  'namespaceSelector',
  'objectSelector',
  'labelSelector',
]);
/** Maps whose values are texts or amounts of the user's own: an empty one says something. */
const FREE_MAPS = new Set(['data', 'binaryData', 'stringData', 'labels', 'annotations']);
/** Members whose values are quantities, or that hold such by name. */
const QUANTITIES = new Set([
  'limits',
  'requests',
  'hard',
  'capacity',
  'overhead',
  'sizeLimit',
  'divisor',
  'min',
  'max',
  'default',
  'defaultRequest',
  'averageValue',
  'value',
]);
/** Left out they do not mean zero: false, 0 or the empty text is a choice. */
const TELLING_ZEROS = new Set([
  'automountServiceAccountToken',
  'allowPrivilegeEscalation',
  'enableServiceLinks',
  'allocateLoadBalancerNodePorts',
  'hostUsers',
  'runAsUser',
  'runAsGroup',
  'fsGroup',
  'storageClassName',
]);
/** Empty in a manifest, they are for the API server to choose. */
const CHOSEN_FOR_US = new Set(['clusterIP', 'nodePort', 'volumeName', 'healthCheckNodePort']);

class Structure {
  readonly changes: FieldChange[] = [];
  private readonly builtIn: boolean;

  constructor(builtIn: boolean) {
    this.builtIn = builtIn;
  }

  /** A member that the manifest has; `actual` undefined: the object has none. `whole`: a part of one value. */
  member(wanted: unknown, actual: unknown, steps: PathStep[], whole = false): void {
    if (wanted === undefined || wanted === null || wanted === actual) return;
    if (actual === undefined || actual === null) return this.absent(wanted, steps);
    if (isRecord(wanted) && isRecord(actual)) return this.map(wanted, actual, steps, whole);
    if (Array.isArray(wanted) && Array.isArray(actual)) return this.list(wanted, actual, steps);
    if (this.sameScalar(wanted, actual, steps)) return;
    this.changes.push({ kind: 'changed', path: formatPath(steps), steps, from: wanted, to: actual });
  }

  private absent(wanted: unknown, steps: PathStep[]): void {
    if (this.saysNothing(wanted, steps)) return;
    this.changes.push({ kind: 'removed', path: formatPath(steps), steps, from: wanted });
  }

  private map(
    wanted: Record<string, unknown>,
    actual: Record<string, unknown>,
    steps: PathStep[],
    whole: boolean,
  ): void {
    for (const [key, value] of Object.entries(wanted))
      this.member(value, own(actual, key), [...steps, key], whole || this.isWhole(key));
    // A selector of labels holds matchLabels; that of a Service is the map itself.
    if (!whole || !this.builtIn || 'matchLabels' in wanted || 'matchExpressions' in wanted) return;
    for (const [key, value] of Object.entries(actual)) {
      if (Object.hasOwn(wanted, key)) continue;
      this.changes.push({
        kind: 'added',
        path: formatPath([...steps, key]),
        steps: [...steps, key],
        to: value,
      });
    }
  }

  private isWhole(key: string): boolean {
    return this.builtIn && WHOLE_MAPS.has(key);
  }

  private list(wanted: unknown[], actual: unknown[], steps: PathStep[]): void {
    const name = steps.at(-1);
    // What lies in a list without keys is a part of one value.
    const shared =
      (this.builtIn || steps[0] === 'metadata') && !steps.some((step) => typeof step === 'number');
    if (shared && typeof name === 'string') {
      if (SETS.has(name)) return this.set(wanted, actual, steps);
      if (KEYED_LISTS.has(name) && this.keyed(wanted, actual, steps)) return;
    }
    if (wanted.length !== actual.length) {
      this.changes.push({ kind: 'changed', path: formatPath(steps), steps, from: wanted, to: actual });
      return;
    }
    for (const [index, element] of wanted.entries()) this.member(element, actual[index], [...steps, index]);
  }

  private set(wanted: unknown[], actual: unknown[], steps: PathStep[]): void {
    const missing = wanted.filter((element) => !actual.includes(element));
    if (missing.length > 0)
      this.changes.push({ kind: 'changed', path: formatPath(steps), steps, from: wanted, to: actual });
  }

  /** Compares by merge key; false where the elements have none. */
  private keyed(wanted: unknown[], actual: unknown[], steps: PathStep[]): boolean {
    const indexed = mergeKeysOf(wanted, actual);
    if (!indexed) return false;
    for (const [id, { element, step }] of indexed.from)
      this.member(element, indexed.to.get(id)?.element, [...steps, step]);
    return true;
  }

  private sameScalar(wanted: unknown, actual: unknown, steps: PathStep[]): boolean {
    if (!this.builtIn) return false;
    const name = steps.at(-1);
    if (typeof name === 'string' && CHOSEN_FOR_US.has(name) && (wanted === '' || wanted === 0)) return true;
    const amount = steps.slice(-2).some((step) => typeof step === 'string' && QUANTITIES.has(step));
    return amount && !isFree(steps) && !steps.includes('env') && sameQuantity(wanted, actual);
  }

  /** Whether leaving a value out means the same. */
  private saysNothing(value: unknown, steps: PathStep[]): boolean {
    if (value === null || value === undefined) return true;
    if (Array.isArray(value)) return value.length === 0;
    if (isRecord(value)) {
      // `emptyDir: {}` is kept and means something; what holds only such members says nothing more.
      const members = Object.entries(value);
      return members.every(([key, member]) => this.saysNothing(member, [...steps, key]));
    }
    if (!this.builtIn || isFree(steps)) return false;
    const zero = value === false || value === 0 || value === '';
    return zero && !TELLING_ZEROS.has(String(steps.at(-1)));
  }
}

/** Inside of a map of the user's own. */
function isFree(steps: readonly PathStep[]): boolean {
  return steps.slice(0, -1).some((step) => typeof step === 'string' && FREE_MAPS.has(step));
}

/** What of an object counts: its metadata as far as people write it, and everything else but its status. */
function contentOf(object: KubeObject): Record<string, unknown> {
  const { apiVersion: _a, kind: _k, status: _s, metadata, ...rest } = object;
  const { labels, annotations, finalizers, ownerReferences } = metadata;
  const marks = {
    labels: without(labels, APPLICATION_LABEL),
    annotations: without(annotations, TRACKING_ANNOTATION),
  };
  const content: Record<string, unknown> = { ...rest, metadata: { ...marks, finalizers, ownerReferences } };
  return isSecret(object) ? withPlainData(content) : content;
}

function without(map: Record<string, string> | undefined, key: string): Record<string, string> | undefined {
  if (!map || !(key in map)) return map;
  const { [key]: _mark, ...rest } = map;
  return rest;
}

/** The API server writes `stringData` into `data`, and encodes it. */
function withPlainData({ stringData, data, ...rest }: Record<string, unknown>): Record<string, unknown> {
  const encoded: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(isRecord(data) ? data : {}))
    encoded[key] = typeof value === 'string' ? value.replace(/\s/g, '') : value;
  for (const [key, value] of Object.entries(isRecord(stringData) ? stringData : {}))
    encoded[key] = Buffer.from(String(value)).toString('base64');
  return Object.keys(encoded).length > 0 ? { ...rest, data: encoded } : rest;
}

function own(object: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Groups whose types are Kubernetes' own. */
function isBuiltIn(group: string): boolean {
  return group === '' || !group.includes('.') || BUILT_IN.has(group);
}

const BUILT_IN = new Set([
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
]);
