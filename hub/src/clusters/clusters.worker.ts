import { done } from '@muster/base';
import type { Events } from '../api/events.ts';
import type { JobHandler } from '../queue/jobs.ts';
import type { CertificatesService } from './certificates.service.ts';
import type { RegistryChangesRepository } from './registry-changes.repository.ts';
import type { RemovalService } from './removal.service.ts';
import type { SessionsRegistry } from './sessions-registry.ts';

const EVERY_SECONDS = 5;

/** `maintenance/clusters`: removals that are finished, and pages told of clusters that fell silent. */
export function handlers(
  sessions: SessionsRegistry,
  removal: RemovalService,
  certificates: CertificatesService,
  events: Events,
  registry: RegistryChangesRepository,
): JobHandler[] {
  return [
    {
      queue: 'maintenance',
      prefix: 'clusters',
      everySeconds: EVERY_SECONDS,
      handle: async () => {
        await removal.finishEmptied();
        await certificates.forgetEnded();
        await registry.forgetGone();
        const silent = await sessions.newlySilent(EVERY_SECONDS * 3);
        if (silent.length > 0) await events.publish('cluster', silent);
        return done;
      },
    },
  ];
}
