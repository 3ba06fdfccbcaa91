import { type Outcome, done } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import type { JobContext } from '../queue/jobs.ts';
import type { Owner } from '../releases/owner.ts';
import { Joiners } from './joiners.service.ts';
import { OwnerRelease } from './owner-release.service.ts';
import type { Subject } from './prepare.ts';
import { RenderDependencies } from './render-dependencies.service.ts';
import { type Rendering, Renderings, type Supposed } from './renderings.service.ts';

/** Renders Applications, and releases what changed of an owner's. */
@Injectable()
export class RenderingService {
  constructor(
    @Inject(Renderings) private readonly renderings: Renderings,
    @Inject(OwnerRelease) private readonly release: OwnerRelease,
    @Inject(RenderDependencies) private readonly dependencies: RenderDependencies,
    @Inject(Joiners) private readonly joiners: Joiners,
  ) {}

  /** From an owner's Applications to a release of them. Whatever cannot be rendered keeps its last good release. */
  async render(owner: Owner, context: JobContext): Promise<Outcome> {
    const records = await this.release.load(owner);
    const staying = records.filter(({ row }) => row.leaving_at === null && row.tombstoned_at === null);
    const subjects = staying.map(({ row, manifest }) => ({ id: row.id, manifest }));
    const rendering = await this.applications(subjects, {}, context.signal);
    await this.dependencies.record(owner, subjects, rendering);
    const earlier = await this.joiners.earlier(owner, staying, rendering, context.signal);
    await this.release.finish(owner, records, rendering, context, earlier);
    return done;
  }

  /**
   * What rendering Applications comes to, as things are or as they are supposed to be: there need not be such
   * Applications. Writes nothing but renders and bundles, which are addressed by content: those that nothing refers to
   * are swept.
   */
  applications(subjects: readonly Subject[], supposed: Supposed, signal: AbortSignal): Promise<Rendering> {
    return this.renderings.render(subjects, supposed, signal);
  }
}
