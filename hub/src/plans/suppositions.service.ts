import type { PlanRequest } from '@muster/api';
import { MusterError, canonicalJson } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import { type CheckedDocument, checkDocuments } from '../applications/documents.ts';
import { SupposedSets } from '../applicationsets/supposed-sets.service.ts';
import { parseProject } from '../projects/project-manifest.ts';
import { ProjectsService } from '../projects/projects.service.ts';
import { LookUps } from '../sources/look-ups.service.ts';
import { type RevisionState, SourcesService, stateKey } from '../sources/sources.service.ts';
import { type Supposition, normalised, relabelled } from './supposition.ts';

/** Repositories that a plan reads and that the hub may not have known; given back when it ends. */
export type Borrowed = (() => Promise<void>)[];

/** From what a user supposes to the world of the plan, as far as the user may suppose it. */
@Injectable()
export class Suppositions {
  constructor(
    @Inject(SupposedSets) private readonly sets: SupposedSets,
    @Inject(ProjectsService) private readonly projects: ProjectsService,
    @Inject(SourcesService) private readonly sources: SourcesService,
    @Inject(LookUps) private readonly lookUps: LookUps,
    @Inject(AccessService) private readonly access: AccessService,
  ) {}

  /** Throws `forbidden` and `not-found` for what the actor may not suppose, `invalid` for what cannot be. */
  async of(
    request: PlanRequest,
    actor: Actor,
    borrowed: Borrowed,
    signal: AbortSignal,
  ): Promise<Supposition> {
    const [registered, projects] = await Promise.all([this.sets.registered(), this.projects.byName()]);
    const { clusters, changed } = relabelled(registered, request.labels);
    const supposition: Supposition = {
      sets: [],
      applications: [],
      projects,
      changedProjects: [],
      clusters,
      relabelled: changed,
      revisions: new Map(),
      moved: new Map(),
      movedUrls: new Map(),
      notices: [],
    };
    if (request.labels.length > 0 && !changed)
      supposition.notices.push('the clusters have these labels already');
    for (const one of request.revisions) await this.#move(one, supposition, actor, signal);
    const documents = request.documents.length > 0 ? checkDocuments(request.documents) : [];
    for (const document of documents) await this.#document(document, supposition, actor, borrowed, signal);
    return supposition;
  }

  /** Supposes that what means the base revision of a repository points at another one. */
  async #move(
    { repo, revision, base = 'HEAD' }: PlanRequest['revisions'][number],
    supposition: Supposition,
    actor: Actor,
    signal: AbortSignal,
  ): Promise<void> {
    const id = (await this.sources.known([repo])).get(repo);
    const visible = this.access.visibleProjects(actor, 'viewer');
    // One answer for what is not there and for what may not be seen: nobody finds out what exists.
    if (!id || (await this.lookUps.visible([id], visible)).length === 0)
      throw new MusterError('not-found', `nothing that you may see follows the repository ${repo}`, {
        hint: 'muster repo list shows the repositories that the hub follows',
      });
    const [state, { name, revisions }, tracked] = [
      await this.lookUps.lookUp(id, revision, signal),
      await this.lookUps.meaning(id, base, signal),
      await this.sources.states([id]),
    ];
    if (revisions.length === 0)
      supposition.notices.push(`nothing follows ${name} of ${repo}: --base says which revision is meant`);
    supposition.moved.set(id, [...(supposition.moved.get(id) ?? []), ...revisions]);
    const url = normalised(repo);
    supposition.movedUrls.set(url, new Set([...(supposition.movedUrls.get(url) ?? []), ...revisions]));
    const behind = new Set<string>();
    for (const one of revisions) {
      const key = stateKey(id, one);
      supposition.revisions.set(key, state);
      const now = tracked.get(key)?.commit;
      if (now && !(await this.lookUps.contains(id, state.commit, now, signal))) behind.add(now.slice(0, 7));
    }
    for (const commit of behind)
      supposition.notices.push(
        `${revision} does not contain ${commit}, where ${name} is: what came there since is shown as undone`,
      );
  }

  /** A document needs the role that applying it needs: what it makes the hub read and render, its author sees. */
  async #document(
    document: CheckedDocument,
    supposition: Supposition,
    actor: Actor,
    borrowed: Borrowed,
    signal: AbortSignal,
  ): Promise<void> {
    const { kind, namespace, name } = document;
    switch (kind) {
      case 'ConfigMap':
        this.access.require(actor, 'admin');
        supposition.notices.push(
          `settings in ${name} are not planned: they change no objects, but how they are compared`,
        );
        return;
      case 'RolloutPolicy':
        this.access.require(actor, 'admin');
        supposition.notices.push(
          `RolloutPolicy ${name} is not planned: it changes nothing that is deployed, but how the next release gets there`,
        );
        return;
      case 'Promotion':
        this.access.require(actor, 'admin');
        supposition.notices.push(
          `Promotion ${name} is not planned: it changes nothing before it opens its first change`,
        );
        return;
      case 'AppProject': {
        this.access.require(actor, 'admin');
        const now = supposition.projects.get(name);
        const next = parseProject(document.manifest, `AppProject ${name}`);
        if (now && canonicalJson(now) === canonicalJson(next)) return;
        supposition.projects.set(name, next);
        supposition.changedProjects.push(name);
        return;
      }
      case 'Application':
        this.access.require(actor, 'operator', document.application.spec.project || 'default');
        supposition.applications.push({ namespace, application: document.application });
        return;
      case 'ApplicationSet': {
        const { checked } = document;
        this.access.require(actor, 'operator', checked.project || '*');
        const one = await this.sets.applied(namespace, checked);
        if (one.before) this.access.require(actor, 'operator', one.before.project || '*');
        await this.#read(checked.repositories, supposition, borrowed, signal);
        supposition.sets.push(one);
      }
    }
  }

  /** Looks up revisions that nothing follows yet. What cannot be read is said where it is needed. */
  async #read(
    repositories: readonly { url: string; revision: string }[],
    supposition: Supposition,
    borrowed: Borrowed,
    signal: AbortSignal,
  ): Promise<void> {
    const { ids, giveBack } = await this.lookUps.borrow(repositories.map((one) => one.url));
    borrowed.push(giveBack);
    const followed = repositories.flatMap(({ url, revision }) => {
      const id = ids.get(url);
      return id ? [{ id, revision }] : [];
    });
    await this.lookUp(followed, supposition.revisions, signal);
  }

  /** Whether the actor may have a repository read for a project: who could apply it there, or sees it already. */
  async mayRead(id: string, project: string, actor: Actor): Promise<boolean> {
    if (this.access.allows(actor, 'operator', project || '*')) return true;
    return (await this.lookUps.visible([id], this.access.visibleProjects(actor, 'viewer'))).length > 0;
  }

  /** Finds where revisions point that are neither followed nor supposed; `revisions` is filled. */
  async lookUp(
    wanted: readonly { id: string; revision: string }[],
    revisions: Map<string, RevisionState>,
    signal: AbortSignal,
  ): Promise<void> {
    const distinct = new Map(wanted.map((one) => [stateKey(one.id, one.revision), one]));
    const tracked = await this.sources.states([...new Set(wanted.map((one) => one.id))]);
    const missing = [...distinct].filter(
      ([key]) => !revisions.has(key) && !tracked.get(key)?.commit && !tracked.get(key)?.error,
    );
    let looked = 0;
    for (const [key, { id, revision }] of missing) {
      if (++looked > MAX_LOOK_UPS) {
        revisions.set(key, { error: `more than ${MAX_LOOK_UPS} revisions that nothing follows yet` });
        continue;
      }
      const state = await this.lookUps.lookUp(id, revision, signal).catch((thrown: unknown) => {
        signal.throwIfAborted();
        return { error: MusterError.from(thrown).describe() };
      });
      revisions.set(key, state);
    }
  }
}

const MAX_LOOK_UPS = 50;
