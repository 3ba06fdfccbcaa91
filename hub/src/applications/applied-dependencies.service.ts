import { DEPENDS_ON_ANNOTATION } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import { SupposedSets } from '../applicationsets/supposed-sets.service.ts';
import {
  DependencyCycles,
  type SupposedApplication,
} from '../rollouts/dependencies/dependency-cycles.service.ts';
import { StageCycles } from '../rollouts/dependencies/stage-cycles.service.ts';
import type { Trx } from '../store/schema.ts';
import { asStored } from './application-records.service.ts';
import type { CheckedDocument } from './documents.ts';

/** Longer than this nobody waits for `muster apply`: the expansion of the set says the same later. */
const GENERATE_MS = 10_000;

/** Refuses documents by which something would wait for itself. */
@Injectable()
export class AppliedDependencies {
  constructor(
    @Inject(SupposedSets) private readonly sets: SupposedSets,
    @Inject(DependencyCycles) private readonly cycles: DependencyCycles,
    @Inject(StageCycles) private readonly stages: StageCycles,
  ) {}

  /** After the documents were written, in their transaction. Throws `invalid` with the cycle spelled out. */
  async refuse(trx: Trx, documents: readonly CheckedDocument[]): Promise<void> {
    if (documents.some(({ kind }) => kind === 'RolloutPolicy' || kind === 'ApplicationSet'))
      await this.stages.refuse(trx);
    const applications: SupposedApplication[] = [];
    for (const document of documents)
      if (document.kind === 'ApplicationSet') applications.push(...(await this.#generated(document)));
    await this.cycles.refuse(trx, applications);
  }

  /** Its Applications do not exist yet; those of sets that name no dependency are not needed. */
  async #generated(
    document: Extract<CheckedDocument, { kind: 'ApplicationSet' }>,
  ): Promise<SupposedApplication[]> {
    if (!JSON.stringify(document.checked.set.spec).includes(DEPENDS_ON_ANNOTATION)) return [];
    const supposed = await this.sets.applied(document.namespace, document.checked);
    const found = await this.sets.generated(supposed, AbortSignal.timeout(GENERATE_MS));
    const { namespace, name } = supposed.row;
    return (found ?? []).map((application) => ({
      manifest: asStored(application, namespace).manifest,
      set: `${namespace}/${name}`,
    }));
  }
}
