import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import { CONFIG, type Config } from '../config.ts';
import { Outbox } from '../queue/outbox.ts';
import { ownerKey, ownerOf } from '../releases/owner.ts';
import { ReleasesService } from '../releases/releases.service.ts';
import { DATABASE, type Db } from '../store/database.ts';
import { removalOf } from './application-manifest.ts';
import { ApplicationRecords } from './application-records.service.ts';
import { ApplicationTrail } from './application-trail.ts';

/** Applications that leave, and that are taken back. */
@Injectable()
export class ApplicationRemovals {
  constructor(
    @Inject(DATABASE) private readonly db: Db,
    @Inject(ApplicationTrail) private readonly trail: ApplicationTrail,
    @Inject(ApplicationRecords) private readonly records: ApplicationRecords,
    @Inject(ReleasesService) private readonly releases: ReleasesService,
    @Inject(AccessService) private readonly access: AccessService,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Removes an Application applied directly: it leaves after the grace time, `cascade` (or its finalizer) uninstalling. */
  async remove(actor: Actor, namespace: string, name: string, cascade?: boolean): Promise<void> {
    const row = await this.trail.open(actor, 'operator', namespace, name);
    if (row.set_id) {
      throw new MusterError(
        'conflict',
        `the Application ${name} belongs to the ApplicationSet ${row.set_name}, which would make it again`,
        { hint: 'change the set, or delete it' },
      );
    }
    if (row.tombstoned_at) return;
    const action =
      cascade === undefined ? removalOf(this.records.open(row).manifest) : cascade ? 'uninstall' : 'orphan';
    await this.db.transaction().execute(async (trx) => {
      const at = new Date(Date.now() + this.config.deletionGraceSeconds * 1000);
      await this.records.leave(trx, [{ id: row.id, action, heldReason: null, counted: false }], at);
      await this.outbox.add(trx, 'render', [ownerKey(ownerOf(row))]);
      await this.trail.note(trx, actor, row, 'application.delete', { action });
    });
  }

  /** Takes a leaving Application back. */
  async restore(actor: Actor, namespace: string, name: string): Promise<void> {
    this.access.require(actor, 'operator', (await this.#departedProject(actor, namespace, name)) ?? '*');
    await this.db.transaction().execute(async (trx) => {
      const row = await this.records.restore(trx, namespace, name);
      const owner = { kind: 'application' as const, id: row.id };
      if (row.last) {
        await this.releases.again(trx, owner, {
          applicationId: row.id,
          namespace,
          name,
          removed: null,
          ...row.last,
        });
      }
      await this.outbox.add(trx, 'render', [
        ownerKey(owner),
        ...(row.previousSet ? [`set:${row.previousSet}`] : []),
      ]);
      await this.trail.note(trx, actor, { namespace, name, project: row.project }, 'application.restore');
    });
  }

  async #departedProject(actor: Actor, namespace: string, name: string): Promise<string | undefined> {
    const project = await this.records.projectOf(namespace, name);
    if (project === undefined || !this.access.allows(actor, 'viewer', project)) {
      throw new MusterError(
        'not-found',
        `there is no Application ${namespace}/${name}, and none left in the last days`,
      );
    }
    return project;
  }
}
