import { MusterError } from '@muster/base';
import { takeover } from '@muster/kube';
import { FIELD_MANAGER } from '../kube/client.ts';
import { KubeError } from '../kube/errors.ts';
import type { Application } from './application.ts';
import { type Cluster, pathOfObject } from './cluster.ts';
import type { Desired } from './desired.ts';
import { type Standing, foreignText, isOwn, lookAt } from './foreign.ts';

const TRIES = 5;

/**
 * Before an object is written that is there and not the Application's: takes over what another tool or kubectl applied,
 * so that a field that leaves Git goes. Guarded by the object's version and tried again when somebody wrote in between.
 * Throws `conflict` where another tool tracks it and the Application does not say that it may be taken over; KubeError.
 */
export async function takeOver(
  cluster: Cluster,
  app: Application,
  each: Desired,
  signal: AbortSignal,
  known?: Standing,
): Promise<void> {
  if (isOwn(cluster, app, each.key)) return;
  let standing = known ?? (await lookAt(cluster, app, each, signal));
  for (let attempt = 1; standing; attempt++) {
    const { foreign, trackers, live } = standing;
    if (foreign && !foreign.adopting) throw new MusterError('conflict', foreignText(foreign));
    const patch = takeover(live, each.object, trackers, FIELD_MANAGER);
    if (!patch) return;
    const { uid, resourceVersion } = live.metadata;
    try {
      await cluster.client.call(pathOfObject(each.type!, each.object), {
        method: 'PATCH',
        query: { fieldManager: FIELD_MANAGER },
        body: { metadata: { uid, resourceVersion, ...patch } },
        contentType: 'application/merge-patch+json',
        impersonate: app.assignment.impersonate || undefined,
        signal,
      });
      if (foreign) {
        cluster.log.info({ application: app.key, resource: each.key, from: foreign.by }, 'adopted');
      }
      return;
    } catch (thrown) {
      if (!(thrown instanceof KubeError) || thrown.status !== 409 || attempt >= TRIES) throw thrown;
    }
    standing = await lookAt(cluster, app, each, signal);
  }
}
