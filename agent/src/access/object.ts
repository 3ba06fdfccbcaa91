import { MusterError } from '@muster/base';
import { type KubeObject, describeKey, keyString, withoutTracking } from '@muster/kube';
import type { ObjectReference } from '@muster/proto/records';
import type { Application } from '../apply/application.ts';
import type { Cluster } from '../apply/cluster.ts';
import type { DesiredState } from '../apply/desired.ts';
import { foreignText } from '../apply/foreign.ts';
import { type Verdict, judge } from '../observe/compare.ts';
import { findBelonging } from './lineage.ts';
import type { Masking } from './masking.ts';

/** One object as it is, as Git says, and what is between them; without secret values. */
export interface ObjectView {
  key: string;
  managed: boolean;
  /** Undefined: not there. */
  live?: KubeObject;
  /** Undefined: Git does not name it. */
  desired?: KubeObject;
  health?: string;
  healthMessage?: string;
  diff?: ObjectDiff;
}

export interface ObjectDiff {
  state: 'synced' | 'differs' | 'missing' | 'unknown' | 'extra';
  message?: string;
  fields: { path: string; expected: string; actual: string }[];
  manager?: string;
  operation?: string;
  timeMs?: number;
}

/** @throws MusterError not-found when neither the cluster nor the bundle has it, forbidden when it is another's. */
export async function readObject(
  cluster: Cluster,
  app: Application,
  desired: DesiredState,
  reference: ObjectReference,
  masking: Masking,
  { diff, signal }: { diff: boolean; signal: AbortSignal },
): Promise<ObjectView> {
  const key = keyString(reference);
  const wanted = desired.objects.get(key);
  const found = await findBelonging(cluster, app, reference, signal).catch((thrown: unknown) => {
    // What Git names and somebody else holds may be looked at on Git's side.
    if (wanted && MusterError.from(thrown).code === 'not-found') return undefined;
    throw thrown;
  });
  if (!found && !wanted)
    throw new MusterError('not-found', `${describeKey(reference)} is not there, and Git does not name it`);
  const view: ObjectView = { key, managed: found?.managed ?? wanted !== undefined };
  if (found) {
    view.live = masking.object(withoutManagedFields(found.object));
    const health = await cluster.index.assess(found.object);
    if (health) {
      view.health = health.status;
      view.healthMessage = masking.text(health.message);
    }
  }
  if (wanted) view.desired = masking.object(withoutTracking(wanted.object));
  if (diff && wanted) {
    let verdict: Verdict | undefined;
    const tell = (_key: string, judged: Verdict) => void (verdict = judged);
    await judge(cluster, app, desired, [key], signal, tell, { all: true });
    view.diff = masking.object(diffOf(verdict));
  } else if (diff && found?.managed) view.diff = { state: 'extra', fields: [] };
  return view;
}

function diffOf(verdict: Verdict | undefined): ObjectDiff {
  if (!verdict) return { state: 'unknown', message: 'it could not be judged', fields: [] };
  if (verdict.kind === 'unknown') return { state: 'unknown', message: verdict.message, fields: [] };
  if (verdict.kind === 'foreign')
    return { state: 'unknown', message: foreignText(verdict.foreign), fields: [] };
  if (verdict.kind !== 'differs') return { state: verdict.kind, fields: [] };
  const { fields, writer } = verdict.difference;
  return {
    state: 'differs',
    fields,
    ...(verdict.foreign && { message: foreignText(verdict.foreign) }),
    ...(writer && { manager: writer.manager, operation: writer.operation, timeMs: writer.timeMs }),
  };
}

/** Bookkeeping of the server that is longer than the rest of the object. */
function withoutManagedFields(object: KubeObject): KubeObject {
  const { managedFields: _bookkeeping, ...metadata } = object.metadata;
  return { ...object, metadata };
}
