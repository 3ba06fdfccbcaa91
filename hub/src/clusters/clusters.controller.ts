import {
  ApproveCluster,
  ClusterChange,
  ClusterPage,
  ClusterView,
  LabelClusters,
  LabelledClusters,
  ListClusters,
  RemoveCluster,
  RemovedCluster,
  RevokedCertificates,
} from '@muster/api';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Patch, Post, Query } from '@nestjs/common';
import type { Actor } from '../access/actor.ts';
import { Allow, CurrentActor } from '../access/decorators.ts';
import { Answers } from '../api/answers.ts';
import { decodeCursor, encodeCursor } from '../api/paging.ts';
import { ApprovalService } from './approval.service.ts';
import { CertificatesService } from './certificates.service.ts';
import { clusterView } from './cluster-view.ts';
import type { ClusterRow } from './clusters.repository.ts';
import { ClustersService } from './clusters.service.ts';
import { EnrollmentsRepository } from './enrollments.repository.ts';
import { LabellingService } from './labelling.service.ts';
import { parseSelector } from './label-selector.ts';
import { RemovalService } from './removal.service.ts';

/** The fleet's registry. Clusters are shown to whoever may view anything; only admins of all projects change them. */
@Controller('api/v1/clusters')
export class ClustersController {
  constructor(
    @Inject(ClustersService) private readonly clusters: ClustersService,
    @Inject(ApprovalService) private readonly approval: ApprovalService,
    @Inject(CertificatesService) private readonly certificates: CertificatesService,
    @Inject(RemovalService) private readonly removal: RemovalService,
    @Inject(LabellingService) private readonly labelling: LabellingService,
    @Inject(EnrollmentsRepository) private readonly enrollments: EnrollmentsRepository,
  ) {}

  @Get()
  @Allow('viewer', { project: 'any' })
  @Answers(ClusterPage)
  async list(@Query({ schema: ListClusters }) query: ListClusters): Promise<ClusterPage> {
    const rows = await this.clusters.list({
      selector: query.label ? parseSelector(query.label) : [],
      ...(query.state ? { state: query.state } : {}),
      ...(query.search ? { search: query.search } : {}),
      ...(query.after ? { after: decodeCursor(query.after, 1)[0]! } : {}),
      limit: query.limit + 1,
    });
    const shown = rows.slice(0, query.limit);
    const items = await this.#views(shown);
    return { items, ...(rows.length > query.limit ? { next: encodeCursor(shown.at(-1)!.name) } : {}) };
  }

  @Patch()
  @Allow('admin')
  @Answers(LabelledClusters)
  label(
    @Body({ schema: LabelClusters }) { selector, set, remove }: LabelClusters,
    @CurrentActor() actor: Actor,
  ): Promise<LabelledClusters> {
    return this.labelling.label(selector, { set, remove }, actor);
  }

  @Get(':name')
  @Allow('viewer', { project: 'any' })
  @Answers(ClusterView)
  async get(@Param('name') name: string): Promise<ClusterView> {
    return this.#view(await this.clusters.byName(name));
  }

  @Patch(':name')
  @Allow('admin')
  @Answers(ClusterView)
  async change(
    @Param('name') name: string,
    @Body({ schema: ClusterChange }) change: ClusterChange,
    @CurrentActor() actor: Actor,
  ): Promise<ClusterView> {
    return this.#view(await this.clusters.patch(name, change, actor));
  }

  @Post(':name/approve')
  @HttpCode(200)
  @Allow('approver')
  @Answers(ClusterView)
  async approve(
    @Param('name') name: string,
    @Body({ schema: ApproveCluster }) body: ApproveCluster,
    @CurrentActor() actor: Actor,
  ): Promise<ClusterView> {
    return this.#view(await this.approval.approve(name, actor, body.reason));
  }

  @Delete(':name')
  @Allow('admin')
  @Answers(RemovedCluster)
  async remove(
    @Param('name') name: string,
    @Query({ schema: RemoveCluster }) query: RemoveCluster,
    @CurrentActor() actor: Actor,
  ): Promise<RemovedCluster> {
    const result = await this.removal.remove(name, query.mode, actor);
    if (result === 'removing') await this.removal.finishEmptied();
    return { result };
  }

  @Post(':name/revoke-certificates')
  @HttpCode(200)
  @Allow('admin')
  @Answers(RevokedCertificates)
  async revoke(@Param('name') name: string, @CurrentActor() actor: Actor): Promise<RevokedCertificates> {
    return { revoked: await this.certificates.revokeOf(name, actor) };
  }

  async #view(row: ClusterRow): Promise<ClusterView> {
    return (await this.#views([row]))[0]!;
  }

  async #views(rows: ClusterRow[]): Promise<ClusterView[]> {
    const waiting = new Map(
      (await this.enrollments.waiting(rows.map((row) => row.id))).map((each) => [each.cluster_id, each]),
    );
    const now = new Date();
    return rows.map((row) => clusterView(row, waiting.get(row.id), now));
  }
}
