import { MusterError, canonicalJson } from '@muster/base';
import type { ApplicationWindows, ProjectList, ProjectView, ProjectWindows } from '@muster/api';
import { type ImpersonationMode, type Project, syncAllowed } from '@muster/kube';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import { Events } from '../api/events.ts';
import { Audit } from '../audit/audit.ts';
import { CONFIG, type Config } from '../config.ts';
import type { Trx } from '../store/schema.ts';
import { DEFAULT_PROJECT, storedProject } from './project-manifest.ts';
import { type NamedCluster, windowsOn } from './project-policy.ts';
import { applicationWindows, windowViews } from './window-view.ts';
import { type ProjectRow, ProjectsRepository } from './projects.repository.ts';

/** AppProjects: what Applications may deploy, from where, to where. */
@Injectable()
export class ProjectsService implements OnModuleInit {
  constructor(
    @Inject(ProjectsRepository) private readonly repository: ProjectsRepository,
    @Inject(AccessService) private readonly access: AccessService,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Events) private readonly events: Events,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Which Applications act as a ServiceAccount. */
  get impersonation(): ImpersonationMode {
    return this.config.impersonation;
  }

  async onModuleInit(): Promise<void> {
    await this.repository.ensure('default', DEFAULT_PROJECT);
  }

  /** All projects by name. */
  async byName(trx?: Trx): Promise<Map<string, Project>> {
    return new Map((await this.repository.all(trx)).map((row) => [row.name, storedProject(row.manifest)]));
  }

  async names(): Promise<Set<string>> {
    return new Set((await this.repository.all()).map((row) => row.name));
  }

  /** Throws `precondition` where the sync windows of a project do not let anybody sync an Application now. */
  async requireManualSync(
    project: string,
    cluster: NamedCluster,
    application: { name: string; namespace: string },
  ): Promise<void> {
    const row = await this.repository.byName(project);
    const windows = row ? windowsOn(storedProject(row.manifest), cluster, application) : [];
    const decision = syncAllowed(windows, Date.now(), true);
    if (decision.allowed) return;
    const until = decision.untilMs ? ` until ${new Date(decision.untilMs).toISOString()}` : '';
    throw new MusterError(
      'precondition',
      `project ${project} lets nobody sync ${application.name}${until}: ${decision.reason}`,
      {
        hint: 'manualSync: true of its windows would let you',
      },
    );
  }

  async list(actor: Actor): Promise<ProjectList> {
    const visible = this.access.visibleProjects(actor, 'viewer');
    const [rows, counts] = await Promise.all([this.repository.all(), this.repository.counts()]);
    const shown = rows.filter((row) => visible === '*' || visible.includes(row.name));
    return { items: shown.map((row) => view(row, counts.get(row.name) ?? 0)) };
  }

  /** Throws `not-found`. */
  async get(name: string): Promise<ProjectView> {
    const [row, counts] = await Promise.all([this.repository.byName(name), this.repository.counts()]);
    if (!row) throw new MusterError('not-found', `there is no project ${name}`);
    return view(row, counts.get(name) ?? 0);
  }

  /** Its sync windows, and which are open. Throws `not-found`. */
  async windows(name: string): Promise<ProjectWindows> {
    const row = await this.repository.byName(name);
    if (!row) throw new MusterError('not-found', `there is no project ${name}`);
    return { items: windowViews(storedProject(row.manifest).spec.syncWindows ?? [], Date.now()) };
  }

  /** The windows that hold for an Application, and what they let begin now. */
  async windowsOf(
    project: string,
    cluster: NamedCluster,
    application: { name: string; namespace: string },
  ): Promise<ApplicationWindows> {
    const row = await this.repository.byName(project);
    const windows = row ? (storedProject(row.manifest).spec.syncWindows ?? []) : [];
    return applicationWindows(windows, cluster, application, Date.now());
  }

  /** Writes a checked AppProject; answers what that did. The caller asks for what it affects. */
  async apply(
    trx: Trx,
    name: string,
    manifest: Record<string, unknown>,
    actor: Actor,
  ): Promise<'created' | 'configured' | 'unchanged'> {
    const { status: _status, ...kept } = manifest;
    const before = await this.repository.byName(name, trx);
    if (before && canonicalJson(before.manifest) === canonicalJson(kept)) return 'unchanged';
    await this.repository.write(trx, name, kept);
    await this.audit.record(trx, {
      actor,
      action: before ? 'project.change' : 'project.create',
      object: `project/${name}`,
      project: name,
    });
    await this.events.publish('project', [name], { trx, project: name });
    return before ? 'configured' : 'created';
  }

  /** Throws `not-found`, `precondition` while something belongs to it. */
  async remove(name: string, actor: Actor): Promise<void> {
    if (name === 'default') throw new MusterError('precondition', 'the project default cannot be deleted');
    if (!(await this.repository.byName(name)))
      throw new MusterError('not-found', `there is no project ${name}`);
    await this.repository.db.transaction().execute((trx) => this.removeIn(trx, name, actor));
  }

  /** The same in a transaction; that there is such a project is the caller's to know. */
  async removeIn(trx: Trx, name: string, actor: Actor): Promise<void> {
    if (!(await this.repository.remove(trx, name))) {
      throw new MusterError('precondition', `project ${name} still has Applications or ApplicationSets`, {
        hint: 'delete or move them first',
      });
    }
    await this.audit.record(trx, {
      actor,
      action: 'project.delete',
      object: `project/${name}`,
      project: name,
    });
    await this.events.publish('project', [name], { trx, project: name });
  }
}

function view(row: ProjectRow, applications: number): ProjectView {
  return { name: row.name, manifest: row.manifest, applications, updatedAt: row.updated_at.toISOString() };
}
