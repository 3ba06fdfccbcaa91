import type { ApplyRequest, ApplyResult } from '@muster/api';
import type { Application } from '@muster/appset';
import { MusterError } from '@muster/base';
import { MASK } from '@muster/kube';
import { Inject, Injectable } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import { ApplicationSetsService } from '../applicationsets/applicationsets.service.ts';
import { type CheckedSet, checkApplicationSet } from '../applicationsets/set-manifest.ts';
import { type CheckedSettings, SETTINGS_NAME, checkSettings } from '../settings/settings-manifest.ts';
import { SettingsService } from '../settings/settings.service.ts';
import { parseProject } from '../projects/project-manifest.ts';
import { ProjectsService } from '../projects/projects.service.ts';
import { DATABASE, type Db } from '../store/database.ts';
import type { Trx } from '../store/schema.ts';
import { checkApplication } from './application-manifest.ts';
import { ApplicationsService } from './applications.service.ts';

const DEFAULT_NAMESPACE = 'argocd';

type Result = ApplyResult['results'][number];

/** A document that was checked. Settings and projects come first: the others stand on them. */
export type Checked =
  | { kind: 'ConfigMap'; namespace: string; name: string; checked: CheckedSettings }
  | { kind: 'AppProject'; namespace: string; name: string; manifest: Record<string, unknown> }
  | { kind: 'ApplicationSet'; namespace: string; name: string; checked: CheckedSet }
  | { kind: 'Application'; namespace: string; name: string; application: Application; notices: string[] };

const ORDER = { ConfigMap: 0, AppProject: 1, ApplicationSet: 2, Application: 3 };

/** Ends a dry run: everything was tried and nothing stays. */
class DryRun extends Error {}

/** `muster apply`: any mix of documents, all or nothing. */
@Injectable()
export class ApplyService {
  constructor(
    @Inject(DATABASE) private readonly db: Db,
    @Inject(ProjectsService) private readonly projects: ProjectsService,
    @Inject(ApplicationSetsService) private readonly sets: ApplicationSetsService,
    @Inject(ApplicationsService) private readonly applications: ApplicationsService,
    @Inject(SettingsService) private readonly settings: SettingsService,
    @Inject(AccessService) private readonly access: AccessService,
  ) {}

  async apply(request: ApplyRequest, actor: Actor): Promise<ApplyResult> {
    const documents = checkDocuments(request.documents);
    const results = new Map<Checked, Result>();
    const run = this.db.transaction().execute(async (trx) => {
      for (const document of [...documents].sort((a, b) => ORDER[a.kind] - ORDER[b.kind])) {
        results.set(document, await this.#one(trx, document, actor));
      }
      if (request.dryRun) throw new DryRun();
    });
    await run.catch((thrown: unknown) => {
      if (!(thrown instanceof DryRun)) throw thrown;
    });
    return { dryRun: request.dryRun, results: documents.map((document) => results.get(document)!) };
  }

  async #one(trx: Trx, document: Checked, actor: Actor): Promise<Result> {
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

  async #write(trx: Trx, document: Checked, actor: Actor): Promise<Result['result']> {
    switch (document.kind) {
      case 'ConfigMap':
        this.access.require(actor, 'admin');
        return this.settings.apply(trx, document.checked, actor);
      case 'AppProject': {
        this.access.require(actor, 'admin');
        const result = await this.projects.apply(trx, document.name, document.manifest, actor);
        if (result !== 'unchanged') {
          await this.sets.projectChanged(trx, document.name);
          await this.applications.projectChanged(trx, document.name);
        }
        return result;
      }
      case 'ApplicationSet':
        return this.sets.apply(trx, document.namespace, document.checked, actor);
      case 'Application':
        return this.applications.apply(trx, document.namespace, document.application, actor);
    }
  }
}

function noticesOf(document: Checked): readonly string[] {
  switch (document.kind) {
    case 'ConfigMap':
      return document.checked.settings.notices;
    case 'ApplicationSet':
      return document.checked.notices;
    case 'Application':
      return document.notices;
    case 'AppProject':
      return [];
  }
}

/** Checks every document before anything is written; what is wrong with several is said at once. */
export function checkDocuments(documents: readonly Record<string, unknown>[]): Checked[] {
  const checked: Checked[] = [];
  const errors: MusterError[] = [];
  const seen = new Set<string>();
  documents.forEach((document, i) => {
    try {
      const one = checkOne(document, i);
      const key = `${one.kind}/${one.namespace}/${one.name}`;
      if (seen.has(key))
        throw new MusterError('invalid', `${one.kind} ${one.name} is given twice`, {
          where: `documents[${i}]`,
        });
      seen.add(key);
      checked.push(one);
    } catch (thrown) {
      errors.push(MusterError.from(thrown));
    }
  });
  const [first, ...more] = errors;
  if (!first) return checked;
  if (more.length === 0) throw first;
  throw new MusterError(first.code, [first, ...more].map((error) => error.describe()).join('\n'), {
    where: 'documents',
  });
}

function checkOne(document: Record<string, unknown>, index: number): Checked {
  const { apiVersion, kind, metadata } = document as {
    apiVersion?: unknown;
    kind?: unknown;
    metadata?: { name?: unknown; namespace?: unknown };
  };
  const name = typeof metadata?.name === 'string' ? metadata.name : '';
  const namespace = typeof metadata?.namespace === 'string' ? metadata.namespace : DEFAULT_NAMESPACE;
  const where = name === '' ? `documents[${index}]` : `${String(kind)} ${name}`;
  if (apiVersion === 'v1' && kind === 'ConfigMap' && name === SETTINGS_NAME)
    return { kind, namespace, name, checked: checkSettings(document, where) };
  if (apiVersion !== 'argoproj.io/v1alpha1') {
    throw new MusterError(
      'invalid',
      `apiVersion ${JSON.stringify(apiVersion)}: only argoproj.io/v1alpha1, and the ConfigMap ${SETTINGS_NAME}, are applied to the hub`,
      { where },
    );
  }
  if (JSON.stringify(document).includes(MASK)) {
    throw new MusterError('invalid', 'holds values that the hub had masked', {
      where,
      hint: 'put the real ones in their place',
    });
  }
  switch (kind) {
    case 'AppProject':
      return { kind, namespace, name: parseProject(document, where).name, manifest: document };
    case 'ApplicationSet':
      return { kind, namespace, name, checked: checkApplicationSet(document, where) };
    case 'Application': {
      const { application, notices } = checkApplication(document, where);
      return { kind, namespace, name, application, notices };
    }
    default:
      throw new MusterError(
        'invalid',
        `kind ${JSON.stringify(kind)} is not one of Application, ApplicationSet, AppProject`,
        { where },
      );
  }
}
