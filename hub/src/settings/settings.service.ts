import type { SettingsView } from '@muster/api';
import { MusterError, canonicalJson } from '@muster/base';
import { type IgnoreRule, type KubeObject, groupKindString, keyOf, readSystemSettings } from '@muster/kube';
import { Inject, Injectable } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import { ApplicationRecords } from '../applications/application-records.service.ts';
import { Audit } from '../audit/audit.ts';
import { Outbox } from '../queue/outbox.ts';
import { ownerKey } from '../releases/owner.ts';
import { BundlesService } from '../releases/bundles.service.ts';
import type { Trx } from '../store/schema.ts';
import { type CheckedSettings, SETTINGS_NAME, checksOf } from './settings-manifest.ts';
import { SettingsRepository } from './settings.repository.ts';

/** What settings of the hub add to assignments. */
export interface Customizations {
  ignoreDifferences: IgnoreRule[];
  /** Health checks for the kinds of a bundle, by its digest. */
  checks: ReadonlyMap<string, ReturnType<typeof checksOf>>;
}

/** Settings of the whole hub: the resource customizations of an `argocd-cm`. */
@Injectable()
export class SettingsService {
  constructor(
    @Inject(SettingsRepository) private readonly repository: SettingsRepository,
    @Inject(ApplicationRecords) private readonly records: ApplicationRecords,
    @Inject(BundlesService) private readonly bundles: BundlesService,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(AccessService) private readonly access: AccessService,
  ) {}

  /** What every assignment of these bundles carries of the settings. Opens bundles only where there are health checks. */
  async customizations(digests: Iterable<string>): Promise<Customizations> {
    const row = await this.repository.get(SETTINGS_NAME);
    if (!row) return { ignoreDifferences: [], checks: new Map() };
    const { data = {} } = row.manifest as { data?: Record<string, string> };
    const { health, ignoreDifferences } = readSystemSettings(data, SETTINGS_NAME);
    const checks = new Map<string, ReturnType<typeof checksOf>>();
    if (Object.keys(health).length > 0) {
      for (const digest of new Set(digests))
        checks.set(digest, checksOf(health, kindsOf(await this.bundles.objects(digest))));
    }
    return { ignoreDifferences, checks };
  }

  /** Throws `not-found`. */
  async get(): Promise<SettingsView> {
    const row = await this.repository.get(SETTINGS_NAME);
    if (!row)
      throw new MusterError('not-found', 'no settings were applied', {
        hint: '`muster apply -f argocd-cm.yaml`',
      });
    return { manifest: row.manifest, updatedAt: row.updated_at.toISOString(), updatedBy: row.updated_by };
  }

  /** Writes checked settings and has every assignment made again. Takes the role admin. */
  async apply(
    trx: Trx,
    { manifest }: CheckedSettings,
    actor: Actor,
  ): Promise<'created' | 'configured' | 'unchanged'> {
    this.access.require(actor, 'admin');
    const before = await this.repository.get(SETTINGS_NAME, trx);
    if (before && canonicalJson(before.manifest) === canonicalJson(manifest)) return 'unchanged';
    await this.repository.write(trx, SETTINGS_NAME, manifest, actor.name);
    await this.#changed(trx, actor, before ? 'settings.change' : 'settings.create');
    return before ? 'configured' : 'created';
  }

  async remove(actor: Actor): Promise<void> {
    await this.repository.db.transaction().execute(async (trx) => {
      if (!(await this.repository.remove(trx, SETTINGS_NAME)))
        throw new MusterError('not-found', 'no settings were applied');
      await this.#changed(trx, actor, 'settings.delete');
    });
  }

  async #changed(trx: Trx, actor: Actor, action: string): Promise<void> {
    await this.outbox.add(trx, 'render', (await this.records.owners(trx)).map(ownerKey));
    await this.audit.record(trx, { actor, action, object: `settings/${SETTINGS_NAME}` });
  }
}

function kindsOf(objects: readonly KubeObject[]): string[] {
  return objects.map((object) => groupKindString(keyOf(object)));
}
