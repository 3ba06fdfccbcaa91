import { Inject, Injectable } from '@nestjs/common';
import type { Subject } from '../rendering/prepare.ts';
import { RenderingService } from '../rendering/rendering.service.ts';
import type { Rendering } from '../rendering/renderings.service.ts';
import type { Supposition } from './supposition.ts';

export type { Subject };

/**
 * Whose random seed plans use. What a supposed template prints of an Application's own seed would tell the password
 * that a real one made of it. No Application has such a name.
 */
const PLAN_SEED = 'a plan';

/** Renders Applications as they would be. Bundles are shared with the pipeline by their content; nothing is assigned. */
@Injectable()
export class PlannedRenders {
  constructor(@Inject(RenderingService) private readonly rendering: RenderingService) {}

  /** As supposed. A render that an Application has already holds for it, whatever seed it was made with. */
  supposed(
    subjects: readonly Subject[],
    { projects, revisions }: Pick<Supposition, 'projects' | 'revisions'>,
    signal: AbortSignal,
  ): Promise<Rendering> {
    const seedOf = { name: PLAN_SEED, orOwn: true };
    return this.rendering.applications(subjects, { projects, revisions, seedOf }, signal);
  }

  /** As things are, but with the seed of plans: what a render with that seed is compared with. */
  asIs(subjects: readonly Subject[], signal: AbortSignal): Promise<Rendering> {
    return this.rendering.applications(subjects, { seedOf: { name: PLAN_SEED, orOwn: false } }, signal);
  }
}
