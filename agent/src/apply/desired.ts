import { MusterError, canonicalJson, sha256 } from '@muster/base';
import {
  type KubeObject,
  type ScopeLookup,
  describeKey,
  groupKindString,
  hooksOf,
  isSkipped,
  keyOf,
  keyString,
  problemOf,
  redactText,
  scopeWithDefinitions,
  secretValues,
  withNamespace,
  withTracking,
} from '@muster/kube';
import type { Assignment } from '@muster/proto/records';
import { type ApiType, type Discovery, apiVersionOf } from '../kube/discovery.ts';
import type { VersionedKind } from './definitions.ts';
import { type Refusal, refusalOf } from './limits.ts';
import { type Power, accountRefusal } from './power.ts';

/** One object that an Application wants, ready to be applied. */
export interface Desired {
  key: string;
  /** With its namespace and Muster's marks. */
  object: KubeObject;
  /** Undefined: its CustomResourceDefinition comes with the bundle, or it is not served. */
  type: ApiType | undefined;
  /** Hash of the object as applied. */
  hash: string;
}

/** A bundle, read for one cluster. */
export interface DesiredState {
  objects: Map<string, Desired>;
  /** Objects that phases of a sync or a removal run, without Muster's marks. */
  hooks: { object: KubeObject; type: ApiType | undefined }[];
  /** Kinds of it that were not served when it was read. */
  unserved: VersionedKind[];
  /** Words from outside without the values of the Secrets of the bundle. */
  mask(text: string): string;
  /** What forbids applying, by the key of the object ('' for the bundle as a whole). */
  problems: { key: string; message: string; type: Refusal['type'] | 'InvalidManifest' | 'AccountDenied' }[];
}

export interface DesiredOptions {
  assignment: Assignment;
  discovery: Discovery;
  power: Power;
}

/** Reads the canonical plaintext of a bundle: names, namespaces, marks, limits. Throws MusterError for what is no bundle. */
export async function readDesired(plain: Buffer, options: DesiredOptions): Promise<DesiredState> {
  const { assignment, discovery } = options;
  const application = { namespace: assignment.applicationNamespace, name: assignment.applicationName };
  const all = parseBundle(plain);
  const state: DesiredState = {
    objects: new Map(),
    hooks: [],
    problems: [],
    unserved: [],
    mask: maskOf(all),
  };
  const refusedAccount = accountRefusal(options.power, assignment.impersonate, assignment.project);
  if (refusedAccount) state.problems.push({ key: '', message: refusedAccount, type: 'AccountDenied' });
  const types = await resolveTypes(all, discovery);
  state.unserved = unservedOf(all, types);
  const scopeOf = scopeWithDefinitions(all, scopesOf(types));
  for (const written of all) {
    const object = withNamespace(written, assignment.destinationNamespace, scopeOf);
    const key = keyString(keyOf(object));
    const problem = problemOf(object);
    if (problem) {
      state.problems.push({ key, message: problem, type: 'InvalidManifest' });
      continue;
    }
    if (isSkipped(object)) continue;
    const type = types.get(`${object.apiVersion}/${object.kind}`);
    const hook = hooksOf(object);
    if (hook) {
      if (hook.phases.length === 0) continue;
      const refused = refusalOf(object, scopeOf(keyOf(object)), assignment.project, options.power);
      if (refused) state.problems.push({ key, ...refused });
      state.hooks.push({ object, type });
      continue;
    }
    if (!object.metadata.name) {
      const message = `${object.kind} with generateName ${object.metadata.generateName ?? ''} has no name to keep it by`;
      state.problems.push({ key, message, type: 'InvalidManifest' });
      continue;
    }
    if (state.objects.has(key)) {
      const message = `${describeKey(keyOf(object))} is in the bundle more than once`;
      state.problems.push({ key, message, type: 'InvalidManifest' });
      continue;
    }
    const refusal = refusalOf(object, scopeOf(keyOf(object)), assignment.project, options.power);
    if (refusal) state.problems.push({ key, ...refusal });
    const marked = withTracking(object, application);
    state.objects.set(key, { key, object: marked, type, hash: appliedHash(marked) });
  }
  return state;
}

/** Hash of an object as it is applied. */
export function appliedHash(object: KubeObject): string {
  return sha256(canonicalJson(object)).slice(0, 32);
}

/** The values are looked up when there is something to mask for the first time: that is seldom. */
function maskOf(objects: readonly KubeObject[]): (text: string) => string {
  let values: ReadonlySet<string> | undefined;
  return (text) => {
    if (text === '') return text;
    values ??= secretValues(objects);
    return values.size > 0 ? redactText(text, values) : text;
  };
}

function parseBundle(plain: Buffer): KubeObject[] {
  let parsed: { objects?: unknown };
  try {
    parsed = JSON.parse(plain.toString('utf8')) as { objects?: unknown };
  } catch {
    throw new MusterError('invalid', 'the bundle is not JSON');
  }
  if (!Array.isArray(parsed.objects)) throw new MusterError('invalid', 'the bundle holds no list of objects');
  return parsed.objects as KubeObject[];
}

async function resolveTypes(objects: KubeObject[], discovery: Discovery): Promise<Map<string, ApiType>> {
  const types = new Map<string, ApiType>();
  for (const { apiVersion, kind } of objects) {
    const name = `${apiVersion}/${kind}`;
    if (types.has(name)) continue;
    const type = await discovery.resolve(apiVersion, kind);
    if (type) types.set(name, type);
  }
  return types;
}

function unservedOf(objects: readonly KubeObject[], types: ReadonlyMap<string, ApiType>): VersionedKind[] {
  const unserved = new Map<string, VersionedKind>();
  for (const { apiVersion, kind } of objects) {
    const name = `${apiVersion}/${kind}`;
    if (!types.has(name)) unserved.set(name, { apiVersion, kind });
  }
  return [...unserved.values()];
}

function scopesOf(types: Map<string, ApiType>): ScopeLookup {
  const scopes = new Map<string, 'namespaced' | 'cluster'>();
  for (const type of types.values())
    scopes.set(groupKindString(type), type.namespaced ? 'namespaced' : 'cluster');
  return (kind) => scopes.get(groupKindString(kind));
}

/** The apiVersion that an inventory entry was applied with. */
export function apiVersionOfEntry(entry: { key: string; version: string }): string {
  return apiVersionOf(entry.key.slice(0, entry.key.indexOf('/')), entry.version);
}
