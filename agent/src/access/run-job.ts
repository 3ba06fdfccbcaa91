import { setTimeout as sleep } from 'node:timers/promises';
import { MusterError } from '@muster/base';
import { type KubeObject, isRecord, part } from '@muster/kube';
import { type Command, CommandOutcome, type RunJobCommand } from '@muster/proto/records';
import type { Application } from '../apply/application.ts';
import type { Cluster } from '../apply/cluster.ts';
import { refusalOf } from '../apply/limits.ts';
import type { ApiType } from '../kube/discovery.ts';
import { KubeError, safeMessage } from '../kube/errors.ts';
import { pathOf } from '../kube/objects.ts';
import type { ActAnswer } from './act.ts';
import { endOf, jobManifest, jobNameOf, lastWords, verdictMessage } from './job-words.ts';
import type { Masking } from './masking.ts';

const LOOK_MS = 500;
const LONGEST_LOOK_MS = 5_000;
/** A Job that Kubernetes should have ended by its own deadline is given up after so much more. */
const GRACE_MS = 60_000;

interface Running {
  cluster: Cluster;
  app: Application;
  type: ApiType;
  namespace: string;
  name: string;
  masking: Masking;
  signal: AbortSignal;
}

/**
 * Runs a Job for a gate and answers how it ended. Its name is the command's, so it is made once, whatever is lost; when
 * nobody knows what came of a command, the next one only looks for what that one made.
 */
export async function runJob(
  cluster: Cluster,
  app: Application,
  command: Command,
  masking: () => Promise<Masking>,
  signal: AbortSignal,
): Promise<ActAnswer> {
  if (command.verb?.$case !== 'runJob') throw new Error('not a command to run a Job');
  const asked = command.verb.value;
  try {
    const type = await cluster.discovery.resolveKind('batch', 'Job');
    if (!type) throw new MusterError('unsupported', 'the cluster knows no Jobs (batch/v1)');
    const { impersonate = '', destinationNamespace, project } = app.assignment;
    const name = jobNameOf(asked.resume || command.id);
    const manifest = jobManifest(asked, { name, namespace: destinationNamespace, application: app.key });
    const refusal = refusalOf(manifest, 'namespaced', project, cluster.power);
    if (refusal) return { outcome: CommandOutcome.REFUSED, message: refusal.message };
    const namespace = manifest.metadata.namespace!;
    const running = { cluster, app, type, namespace, name, masking: await masking(), signal };
    if (!asked.resume) {
      const unsure = await create(running, manifest, impersonate || undefined);
      if (unsure) return unsure;
    }
    return await followed(running, asked);
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof KubeError)
      return { outcome: CommandOutcome.FAILED, message: safeMessage('Job', thrown) };
    return { outcome: CommandOutcome.REFUSED, message: MusterError.from(thrown).describe() };
  }
}

/** Makes the Job; an answer is what came of it where nobody can say whether it was made. */
async function create(
  { cluster, type, namespace, name, signal, app }: Running,
  manifest: KubeObject,
  impersonate: string | undefined,
): Promise<ActAnswer | undefined> {
  try {
    await cluster.client.call(pathOf(type, namespace), {
      method: 'POST',
      body: manifest,
      impersonate,
      signal,
    });
    cluster.log.info({ application: app.key, job: `${namespace}/${name}` }, 'a Job for a gate was begun');
    return undefined;
  } catch (thrown) {
    signal.throwIfAborted();
    if (!(thrown instanceof KubeError)) throw thrown;
    // Its name is of this command alone: what stands there was made by it.
    if (thrown.status === 409 && thrown.reason === 'AlreadyExists') return undefined;
    if (thrown.status !== 0 && thrown.status < 500) throw thrown;
    const message = `the API server did not answer (${thrown.message}): nobody can say whether the Job was made`;
    return { outcome: CommandOutcome.UNKNOWN, message };
  }
}

/** Once it is made, whatever goes wrong says nothing of how it ends. */
async function followed(running: Running, asked: RunJobCommand): Promise<ActAnswer> {
  try {
    return await follow(running, asked);
  } catch (thrown) {
    running.signal.throwIfAborted();
    return { outcome: CommandOutcome.UNKNOWN, message: safeMessage('Job', thrown) };
  }
}

async function follow(running: Running, { deadlineSeconds }: RunJobCommand): Promise<ActAnswer> {
  const { cluster, app, type, namespace, name, signal, masking } = running;
  const impersonate = app.assignment.impersonate || undefined;
  const path = pathOf(type, namespace, name);
  const until = cluster.now() + deadlineSeconds * 1000 + GRACE_MS;
  for (let pause = LOOK_MS; ; pause = Math.min(pause * 1.5, LONGEST_LOOK_MS)) {
    const job = await cluster.client.find(path, { impersonate, signal });
    if (!job) return answer('lost', `Job ${namespace}/${name} is not there: nobody can say how it ended`);
    const end = endOf(job);
    if (end || cluster.now() > until) {
      const words = end?.succeeded ? '' : await lastWordsOf(running, impersonate);
      const detail = [end?.message ?? 'it did not end in time', words].filter(Boolean).join('; ');
      await remove(running, job, impersonate);
      return answer(end?.succeeded ? 'succeeded' : 'failed', masking.text(detail));
    }
    await sleep(pause, undefined, { signal });
  }
}

async function lastWordsOf({ cluster, namespace, name, signal }: Running, impersonate: string | undefined) {
  const pods = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
  try {
    const query = { labelSelector: `batch.kubernetes.io/job-name=${name}`, limit: 20 };
    const found = await cluster.client.call<{ items?: unknown }>(pods, { query, impersonate, signal });
    return lastWords(Array.isArray(found.items) ? found.items.filter(isRecord) : []);
  } catch {
    signal.throwIfAborted();
    // Who may run Jobs need not be allowed to look at Pods.
    return '';
  }
}

/** Where it may not, Kubernetes removes it some time after its end. */
async function remove(
  { cluster, type, namespace, name, signal }: Running,
  job: KubeObject,
  impersonate?: string,
) {
  try {
    await cluster.client.remove(pathOf(type, namespace, name), {
      uid: String(part(job, 'metadata', 'uid')),
      propagation: 'Background',
      impersonate,
      signal,
    });
  } catch (thrown) {
    signal.throwIfAborted();
    const error = MusterError.from(thrown).message;
    cluster.log.warn({ job: `${namespace}/${name}`, error }, 'a Job for a gate was left to its ttl');
  }
}

function answer(job: 'succeeded' | 'failed' | 'lost', detail: string): ActAnswer {
  return { outcome: CommandOutcome.SUCCEEDED, message: verdictMessage(job, detail) };
}
