import type { ApplyRequest, ApplyResult } from '@muster/api';
import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '../access/actor.ts';
import { ApplicationSetsService } from '../applicationsets/applicationsets.service.ts';
import { SettingsService } from '../settings/settings.service.ts';
import { DeliveryDocuments } from '../promotion/delivery-documents.service.ts';
import { DATABASE, type Db } from '../store/database.ts';
import type { Trx } from '../store/schema.ts';
import { ApplicationsService } from './applications.service.ts';
import { AppliedDependencies } from './applied-dependencies.service.ts';
import { AppliedProjects } from './applied-projects.service.ts';
import { APPLY_ORDER, type CheckedDocument, checkDocuments } from './documents.ts';

type Result = ApplyResult['results'][number];

/** Ends a dry run: everything was tried and nothing stays. */
class DryRun extends Error {}

/** `muster apply`: any mix of documents, all or nothing. */
@Injectable()
export class ApplyService {
  constructor(
    @Inject(DATABASE) private readonly db: Db,
    @Inject(AppliedProjects) private readonly projects: AppliedProjects,
    @Inject(ApplicationSetsService) private readonly sets: ApplicationSetsService,
    @Inject(ApplicationsService) private readonly applications: ApplicationsService,
    @Inject(SettingsService) private readonly settings: SettingsService,
    @Inject(DeliveryDocuments) private readonly delivery: DeliveryDocuments,
    @Inject(AppliedDependencies) private readonly dependencies: AppliedDependencies,
  ) {}

  async apply(request: ApplyRequest, actor: Actor): Promise<ApplyResult> {
    const documents = checkDocuments(request.documents);
    const results = new Map<CheckedDocument, Result>();
    const run = this.db.transaction().execute(async (trx) => {
      for (const document of [...documents].sort((a, b) => APPLY_ORDER[a.kind] - APPLY_ORDER[b.kind])) {
        results.set(document, await this.#one(trx, document, actor));
      }
      await this.dependencies.refuse(trx, documents);
      if (request.dryRun) throw new DryRun();
    });
    await run.catch((thrown: unknown) => {
      if (!(thrown instanceof DryRun)) throw thrown;
    });
    return { dryRun: request.dryRun, results: documents.map((document) => results.get(document)!) };
  }

  /** Writes one checked document with the rights of the actor; what is wrong with it names it. */
  async one(trx: Trx, document: CheckedDocument, actor: Actor): Promise<Result> {
    const result = await this.#one(trx, document, actor);
    await this.dependencies.refuse(trx, [document]);
    return result;
  }

  async #one(trx: Trx, document: CheckedDocument, actor: Actor): Promise<Result> {
    const { kind, namespace, name } = document;
    const conditions = noticesOf(document).map((message) => ({ type: 'UnsupportedField', message }));
    try {
      return { kind, namespace, name, result: await this.#write(trx, document, actor), conditions };
    } catch (thrown) {
      const error = MusterError.from(thrown);
      throw error.where
        ? error
        : new MusterError(error.code, error.message, {
            where: `${kind} ${name}`,
            hint: error.hint,
            cause: thrown,
          });
    }
  }

  async #write(trx: Trx, document: CheckedDocument, actor: Actor): Promise<Result['result']> {
    switch (document.kind) {
      case 'ConfigMap':
        return this.settings.apply(trx, document.checked, actor);
      case 'RolloutPolicy':
      case 'Promotion':
        return this.delivery.apply(trx, document, actor);
      case 'AppProject':
        return this.projects.apply(trx, document.name, document.manifest, actor);
      case 'ApplicationSet':
        return this.sets.apply(trx, document.namespace, document.checked, actor);
      case 'Application':
        return this.applications.apply(trx, document.namespace, document.application, actor);
    }
  }
}

function noticesOf(document: CheckedDocument): readonly string[] {
  switch (document.kind) {
    case 'ConfigMap':
      return document.checked.settings.notices;
    case 'ApplicationSet':
      return document.checked.notices;
    case 'Application':
      return document.notices;
    case 'AppProject':
    case 'RolloutPolicy':
    case 'Promotion':
      return [];
  }
}
