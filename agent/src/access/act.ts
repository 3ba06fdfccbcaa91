import { setTimeout as sleep } from 'node:timers/promises';
import { MusterError } from '@muster/base';
import {
  type ActionPatch,
  type KubeObject,
  RESTARTED_BY,
  describeKey,
  keyOf,
  keyString,
  part,
  planAction,
} from '@muster/kube';
import { type ActCommand, type Command, CommandOutcome } from '@muster/proto/records';
import type { Application } from '../apply/application.ts';
import type { Cluster } from '../apply/cluster.ts';
import type { DesiredState } from '../apply/desired.ts';
import { rulesOf } from '../apply/ignored.ts';
import { requireObject } from '../apply/power.ts';
import type { CallOptions } from '../kube/client.ts';
import { KubeError, safeMessage } from '../kube/errors.ts';
import { pathOf } from '../kube/objects.ts';
import { difference } from '../observe/drift.ts';
import { type Belonging, findBelonging } from './lineage.ts';

/** What came of an action. */
export interface ActAnswer {
  outcome: CommandOutcome;
  message: string;
}

/** The field manager of what people have the agent do, so that it is never taken for what Git says. */
const ACTOR = 'muster-action';
/** Someone wrote in between: looked at again, decided again. */
const MAX_CONFLICTS = 8;

interface Acting {
  cluster: Cluster;
  app: Application;
  asked: ActCommand;
  /** The command's id: what is written carries it, or a precondition that holds once. */
  operation: string;
  signal: AbortSignal;
}

/**
 * Does one thing to one object of the Application. Every write holds a precondition (UID and resourceVersion) or the
 * command's id, is sent once, and is decided again on what is there after a conflict. A write whose answer was lost is
 * looked for; what cannot be proven is *outcome unknown*.
 */
export async function act(
  cluster: Cluster,
  app: Application,
  command: Command,
  desired: () => Promise<DesiredState>,
  signal: AbortSignal,
): Promise<ActAnswer> {
  if (command.verb?.$case !== 'act' || !command.verb.value.object) throw new Error('not an act command');
  const acting: Acting = { cluster, app, asked: command.verb.value, operation: command.id, signal };
  try {
    const refusal = await healedAway(acting, desired);
    if (refusal) return { outcome: CommandOutcome.REFUSED, message: refusal };
    return await attempt(acting);
  } catch (thrown) {
    signal.throwIfAborted();
    const { kind = '' } = acting.asked.object ?? {};
    if (thrown instanceof KubeError)
      return { outcome: CommandOutcome.FAILED, message: safeMessage(kind, thrown) };
    const error = MusterError.from(thrown);
    const refused = error.code === 'forbidden' || error.code === 'precondition' || error.code === 'conflict';
    const outcome = refused ? CommandOutcome.REFUSED : CommandOutcome.FAILED;
    return { outcome, message: error.describe() };
  }
}

/** One write may be lost without a trace; only a conflict says that nothing was done. */
async function attempt(acting: Acting): Promise<ActAnswer> {
  const { asked, signal } = acting;
  for (let conflicts = 0; ; conflicts++) {
    const found = await findBelonging(acting.cluster, acting.app, asked.object!, signal);
    if (!found) return gone(acting, conflicts > 0);
    const key = keyOf(found.object);
    const name = describeKey(key);
    requireObject(acting.cluster.power, key, found.type.namespaced ? 'namespaced' : 'cluster');
    const stamp = { operation: acting.operation, nowMs: acting.cluster.now() };
    const plan = planAction(asked.action, found.object, asked.parameters, stamp);
    try {
      switch (plan.kind) {
        case 'nothing':
          return succeeded(`${name}: ${plan.message}`);
        case 'patch':
          await patch(acting, found, plan.patches);
          return succeeded(`${name}: ${plan.message}${remark(acting, found)}`);
        case 'create':
          await create(acting, found, plan.object);
          return succeeded(`${name}: ${plan.message}`);
        case 'delete':
          return await remove(acting, found, plan.propagation);
      }
    } catch (thrown) {
      signal.throwIfAborted();
      if (!(thrown instanceof KubeError)) throw thrown;
      if (thrown.status === 409 && conflicts < MAX_CONFLICTS) {
        await sleep(Math.min(20 * 2 ** conflicts, 500), undefined, { signal });
        continue;
      }
      if (!lost(thrown)) throw thrown;
      if (await proven(acting, found)) return succeeded(`${name}: done${remark(acting, found)}`);
      const message = `the API server did not answer (${thrown.message}): nobody can say whether ${name} was told to ${asked.action}`;
      return { outcome: CommandOutcome.UNKNOWN, message };
    }
  }
}

/** Status 0 and 5xx: it may have been done. 429 is a refusal, and sent again by the client. */
function lost(error: KubeError): boolean {
  return error.status === 0 || error.status >= 500;
}

async function patch(
  { cluster, app, signal }: Acting,
  found: Belonging,
  patches: ActionPatch[],
): Promise<void> {
  const path = pathOf(found.type, found.object.metadata.namespace, found.object.metadata.name);
  let { resourceVersion } = found.object.metadata;
  for (const { subresource, body } of patches) {
    // A scale has no UID of its own in all versions; the resourceVersion is the object's.
    const { uid } = found.object.metadata;
    const metadata = subresource === 'scale' ? { resourceVersion } : { uid, resourceVersion };
    const options: CallOptions = {
      method: 'PATCH',
      query: { fieldManager: ACTOR },
      body: { ...body, metadata },
      contentType: 'application/merge-patch+json',
      impersonate: app.assignment.impersonate || undefined,
      signal,
      tries: 1,
    };
    const answer = await patchAt(cluster, path, subresource, options);
    resourceVersion = answer.metadata.resourceVersion;
  }
}

/** Definitions without a status subresource take the status with the object. */
async function patchAt(
  cluster: Cluster,
  path: string,
  subresource: ActionPatch['subresource'],
  options: CallOptions,
): Promise<KubeObject> {
  if (!subresource) return cluster.client.call(path, options);
  try {
    return await cluster.client.call(`${path}/${subresource}`, options);
  } catch (thrown) {
    if (!(thrown instanceof KubeError) || !thrown.notFound || subresource !== 'status') throw thrown;
    return cluster.client.call(path, options);
  }
}

/** The name holds the command's id, so one that is there already is the one that was made for it. */
async function create({ cluster, app, signal }: Acting, found: Belonging, object: KubeObject): Promise<void> {
  const { apiVersion, kind } = object;
  const type = await cluster.discovery.resolve(apiVersion, kind);
  if (!type) throw new MusterError('not-found', `this cluster serves no ${kind} of ${apiVersion}`);
  const path = pathOf(type, found.object.metadata.namespace);
  const impersonate = app.assignment.impersonate || undefined;
  const query = { fieldManager: ACTOR };
  try {
    await cluster.client.call(path, { method: 'POST', body: object, query, impersonate, signal });
  } catch (thrown) {
    if (!(thrown instanceof KubeError) || thrown.reason !== 'AlreadyExists') throw thrown;
  }
}

async function remove(
  { cluster, app, asked, signal }: Acting,
  { object, type, managed }: Belonging,
  propagation: 'Foreground' | 'Background' | 'Orphan',
): Promise<ActAnswer> {
  const path = pathOf(type, object.metadata.namespace, object.metadata.name);
  const name = describeKey(keyOf(object));
  const { uid, resourceVersion } = object.metadata;
  await cluster.client.call(path, {
    method: 'DELETE',
    body: {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: propagation,
      preconditions: { uid, resourceVersion },
      ...(asked.parameters.force === 'true' && { gracePeriodSeconds: 0 }),
    },
    impersonate: app.assignment.impersonate || undefined,
    signal,
    tries: 1,
  });
  const finalizers = object.metadata.finalizers ?? [];
  const waits = finalizers.length > 0 ? `, and goes when ${finalizers.join(', ')} let it` : '';
  const again = managed && app.selfHeal ? '; Git names it, so self-heal makes it again' : '';
  return succeeded(`${name}: deleted${waits}${again}`);
}

/** Nothing of that name: what was deleted by a try before this one is done, anything else cannot be done. */
function gone({ asked }: Acting, tried: boolean): ActAnswer {
  const name = describeKey(asked.object!);
  if (asked.action === 'delete' && tried) return succeeded(`${name}: deleted`);
  return { outcome: CommandOutcome.FAILED, message: `there is no ${name}` };
}

/** Whether what is there shows that the write was done. */
async function proven(
  { cluster, app, asked, operation, signal }: Acting,
  before: Belonging,
): Promise<boolean> {
  const path = pathOf(before.type, before.object.metadata.namespace, before.object.metadata.name);
  const impersonate = app.assignment.impersonate || undefined;
  try {
    const now = await cluster.client.find<KubeObject>(path, { signal, impersonate });
    if (asked.action === 'delete')
      return (
        !now ||
        now.metadata.uid !== before.object.metadata.uid ||
        now.metadata.deletionTimestamp !== undefined
      );
    if (!now) return false;
    if (asked.action === 'restart')
      return part(now, 'spec', 'template', 'metadata', 'annotations', RESTARTED_BY) === operation;
    return (
      asked.action === 'scale' &&
      String(part(now, 'spec', 'replicas')) === asked.parameters.replicas &&
      now.metadata.resourceVersion !== before.object.metadata.resourceVersion
    );
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

/** The field that an action writes, and what it writes there; undefined: none that Git is likely to state. */
function written({ action, object, parameters }: ActCommand): [field: string, value: string] | undefined {
  const batch = object?.group === 'batch';
  switch (action) {
    case 'scale':
      return ['replicas', parameters.replicas ?? ''];
    case 'pause':
      return ['paused', 'true'];
    case 'suspend':
      return ['suspend', 'true'];
    case 'resume':
      return [batch ? 'suspend' : 'paused', 'false'];
    default:
      return undefined;
  }
}

/**
 * Why an action would be undone at once: Git states the field that it changes otherwise, and self-heal puts that back.
 * Undefined where nothing stands against it.
 */
async function healedAway(
  { cluster, app, asked, signal }: Acting,
  desired: () => Promise<DesiredState>,
): Promise<string | undefined> {
  const writes = written(asked);
  if (!writes || !app.selfHeal) return undefined;
  const [field, value] = writes;
  const wanted = (await desired()).objects.get(keyString(asked.object!))?.object;
  const stated = part(wanted, 'spec', field);
  if (!wanted || stated === undefined || String(stated) === value) return undefined;
  // What ignoreDifferences leaves to the cluster is not put back.
  const changed = { ...wanted, spec: { ...(wanted.spec as object), [field]: `not ${String(stated)}` } };
  const { difference: counts } = await difference(wanted, changed, rulesOf(app), { jq: cluster.jq, signal });
  if (!counts) return undefined;
  return `Git states spec.${field} of ${describeKey(asked.object!)} (${String(stated)}), and self-heal would put it back: change it in Git, or list the field in ignoreDifferences`;
}

/** What follows from it for the Application. */
function remark({ app, asked }: Acting, { managed }: Belonging): string {
  if (asked.action !== 'scale' || !managed || !app.automated) return '';
  return app.selfHeal ? '' : '; where Git states the replicas it is OutOfSync until they agree';
}

const succeeded = (message: string): ActAnswer => ({ outcome: CommandOutcome.SUCCEEDED, message });
