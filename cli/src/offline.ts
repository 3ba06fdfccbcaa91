import {
  assessHealth,
  definedType,
  diffObjects,
  type FieldChange,
  forDisplay,
  guardPrunes,
  type HealthOptions,
  heldData,
  hooksOf,
  type IgnoreRule,
  keyOf,
  keyString,
  type KubeObject,
  mayHoldData,
  planSync,
  problemOf,
  readSystemSettings,
  pruneDecision,
  type SyncTask,
  unsupportedIgnoreFields,
  withoutIgnored,
} from '@muster/kube';
import { MusterError } from '@muster/base';
import { Jq } from '@muster/kube/jq';
import { readDocuments } from './documents.ts';
import type { PlanInputs } from './sync-inputs.ts';
import type { Terminal } from './terminal.ts';

/** What names an object in the answers of the offline verbs. */
export interface ObjectName {
  group: string;
  kind: string;
  namespace: string;
  name: string;
}

/**
 * The Kubernetes objects of files. `nameless`: they may lack a name, as examples of a status do and hooks may, which
 * get one when they run. @throws MusterError with file and line for what is none.
 */
export async function readObjects(
  paths: string[],
  options: { recursive?: boolean; nameless?: boolean; terminal: Terminal },
): Promise<KubeObject[]> {
  const documents = await readDocuments(paths, { ...options, mayBeEmpty: true });
  return documents.map(({ value, where }) => {
    const object = options.nameless ? { ...value, metadata: value['metadata'] ?? {} } : value;
    const problem = problemOf(options.nameless ? withName(object) : object);
    if (problem) throw new MusterError('invalid', problem, { where });
    return object as unknown as KubeObject;
  });
}

/** The same object with a stand-in for the name that it lacks. */
function withName(object: Record<string, unknown>): Record<string, unknown> {
  const { metadata } = object;
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return object;
  const { name } = metadata as { name?: unknown };
  return { ...object, metadata: { ...metadata, name: name || 'unnamed' } };
}

/** The health checks of an `argocd-cm` ConfigMap. @throws MusterError for a file that holds none. */
export async function customizationsOf(file: string, terminal: Terminal): Promise<HealthOptions> {
  const documents = await readDocuments([file], { terminal });
  const found = documents.find(({ value }) => value['kind'] === 'ConfigMap');
  if (!found) throw new MusterError('invalid', 'no ConfigMap in it', { where: file });
  // Lua and CEL are large; they are loaded for whoever brings checks.
  const { healthCustomizations } = await import('@muster/kube/scripts');
  const data = (found.value['data'] ?? {}) as Record<string, string>;
  return healthCustomizations(readSystemSettings(data, found.where).health, { now: Date.now });
}

/** One row an object, in the order given; `status` is null for a kind without a check. */
export function healthOf(
  objects: KubeObject[],
  options?: HealthOptions,
): (ObjectName & { status: string | null; message: string })[] {
  return objects.map((object) => {
    const health = assessHealth(object, options);
    return { ...nameOf(object), status: health?.status ?? null, message: health?.message ?? '' };
  });
}

export interface PlanRow extends ObjectName {
  phase: string;
  wave: number;
  action: 'apply' | 'prune';
  hook: boolean;
  held?: string;
}

/** The ordered plan of a sync that prunes; `held`: which guard would keep the object. */
export function planOf(desired: KubeObject[], live: KubeObject[], inputs: PlanInputs): PlanRow[] {
  const { namespace, defaultPrune } = inputs;
  const exists = live.some(
    ({ apiVersion, kind, metadata }) =>
      apiVersion === 'v1' && kind === 'Namespace' && metadata.name === namespace,
  );
  const createNamespace = inputs.createNamespace === true && !exists;
  const tasks = planSync(desired, live, { ...inputs, createNamespace });
  const held = heldPrunes(tasks, desired, live, defaultPrune);
  return tasks.map((task) => {
    const { phase, wave, action, hook } = task;
    const { group, kind, namespace: ns, name } = nameOf((task.target ?? task.live)!);
    return { phase, wave, group, kind, namespace: ns, name, action, hook, ...heldBy(held, task) };
  });
}

/** What guards would keep of the prunes, with why, as far as manifests tell: agents also look at what the cluster holds. */
function heldPrunes(
  tasks: SyncTask[],
  desired: KubeObject[],
  live: KubeObject[],
  defaultPrune: string | undefined,
): Map<KubeObject, string> {
  const held = new Map<KubeObject, string>();
  const going: KubeObject[] = [];
  for (const { action, live: object } of tasks) {
    if (action !== 'prune' || !object) continue;
    const decision = pruneDecision(object, { prune: true, confirmed: true, defaultPrune });
    if (decision.action === 'keep') held.set(object, decision.reason);
    else going.push(object);
  }
  const keys = new Set(going.map((object) => keyString(keyOf(object))));
  const guarded = guardPrunes(going, {
    owned: live.filter((object) => !hooksOf(object)).length,
    wanted: desired.filter((object) => !hooksOf(object)).length,
    allowEmpty: false,
    option: () => undefined,
    confirmed: () => false,
    holds: (object) => heldData(object, within(object, live), keys),
  });
  for (const { object, reason } of guarded.held) held.set(object, reason);
  return held;
}

/** The live objects in a Namespace, or of the kind that a CustomResourceDefinition defines. */
function within(object: KubeObject, live: KubeObject[]): KubeObject[] {
  const what = mayHoldData(object);
  if (what === 'namespace') return live.filter(({ metadata }) => metadata.namespace === object.metadata.name);
  const type = what === 'definition' ? definedType(object) : undefined;
  if (!type) return [];
  return live.filter((each) => {
    const { group, kind } = keyOf(each);
    return group === type.group && kind === type.kind;
  });
}

function heldBy(held: ReadonlyMap<KubeObject, string>, { action, live }: SyncTask): { held?: string } {
  const reason = action === 'prune' && live ? held.get(live) : undefined;
  return reason ? { held: reason } : {};
}

export interface DifferenceRow extends ObjectName {
  state: 'differs' | 'missing' | 'extra';
  fields: Pick<FieldChange, 'kind' | 'path' | 'from' | 'to' | 'masked'>[];
}

/** What differs, from live to desired, in the order of the desired objects; then what only the cluster has. */
export async function differences(
  desired: KubeObject[],
  live: KubeObject[],
  rules: IgnoreRule[],
  namespace: string,
): Promise<{ rows: DifferenceRow[]; problems: string[] }> {
  const jq = new Jq();
  const problems = new Set<string>();
  const unmatched = new Map(live.map((object) => [idOf(object, ''), object]));
  const rows: DifferenceRow[] = [];
  for (const object of desired) {
    // The scope of a type may not be known: with the namespace first, then without.
    const id = [idOf(object, namespace), idOf(object, '')].find((each) => unmatched.has(each));
    const match = id === undefined ? undefined : unmatched.get(id);
    if (id === undefined || !match) {
      rows.push({ ...nameOf(object), state: 'missing', fields: [] });
      continue;
    }
    unmatched.delete(id);
    const { fields, problems: found } = await changesOf(match, object, rules, jq);
    for (const problem of found) problems.add(problem);
    if (fields.length > 0) rows.push({ ...nameOf(match), state: 'differs', fields });
  }
  for (const object of unmatched.values()) rows.push({ ...nameOf(object), state: 'extra', fields: [] });
  await jq.close();
  return { rows, problems: [...problems] };
}

async function changesOf(
  live: KubeObject,
  desired: KubeObject,
  rules: IgnoreRule[],
  jq: Jq,
): Promise<{ fields: DifferenceRow['fields']; problems: string[] }> {
  const { namespace } = live.metadata;
  const inPlace = { ...desired, metadata: { ...desired.metadata, ...(namespace && { namespace }) } };
  const { should, is, problems } = await withoutIgnored(forDisplay(inPlace), forDisplay(live), rules, {
    live,
    jq,
  });
  const changes = diffObjects(is, should);
  // `removed`: only the live object has it.
  const fields = changes
    .filter(({ kind }) => kind !== 'removed')
    .map(({ kind, path, from, to, masked }) => ({ kind, path, from, to, ...(masked && { masked }) }));
  return { fields, problems };
}

/** The rules of an Application's `spec.ignoreDifferences`. @throws MusterError for what is not obeyed. */
export async function ignoreRulesOf(file: string, terminal: Terminal): Promise<IgnoreRule[]> {
  const documents = await readDocuments([file], { terminal });
  const found = documents.find(({ value }) => value['kind'] === 'Application');
  if (!found) throw new MusterError('invalid', 'no Application in it', { where: file });
  const spec = (found.value['spec'] ?? {}) as { ignoreDifferences?: IgnoreRule[] };
  const rules = spec.ignoreDifferences ?? [];
  const unsupported = unsupportedIgnoreFields(rules);
  if (unsupported.length > 0) {
    throw new MusterError('unsupported', `not obeyed: ${unsupported.join(', ')}`, { where: found.where });
  }
  return rules;
}

function nameOf(object: KubeObject): ObjectName {
  const { group, kind, namespace, name } = keyOf(object);
  return { group, kind, namespace, name };
}

function idOf(object: KubeObject, namespace: string): string {
  const { group, kind, namespace: own, name } = keyOf(object);
  return `${group}/${kind}/${own || namespace}/${name}`;
}
