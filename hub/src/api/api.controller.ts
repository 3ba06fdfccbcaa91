import { Controller, Get, HttpStatus, Inject, Res } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { FastifyReply } from 'fastify';
import { Public } from '../access/decorators.ts';
import { QueueRunner } from '../queue/queue.module.ts';
import { DATABASE, type Db, databaseAnswers } from '../store/database.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { openApiOf } from './openapi.ts';
import { Readiness } from './readiness.ts';
import { routesOf } from './routes.ts';
import { VERSION } from '../version.ts';

/** Health, metrics and the description of the API. */
@Controller()
export class ApiController {
  #document: object | undefined;

  constructor(
    @Inject(DATABASE) private readonly db: Db,
    @Inject(Readiness) private readonly readiness: Readiness,
    @Inject(QueueRunner) private readonly queue: QueueRunner,
    @Inject(Metrics) private readonly metrics: Metrics,
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
  ) {}

  /** The process runs. */
  @Get('livez')
  @Public()
  live(): string {
    return 'ok';
  }

  /** It can do its work; else 503 and the names of what is missing. */
  @Get('readyz')
  @Public()
  async ready(
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<{ ready: boolean; missing: string[] }> {
    const missing = this.readiness.missing();
    if (!(await databaseAnswers(this.db, 2000))) missing.push('database');
    if (!this.queue.healthy && !missing.includes('queue')) missing.push('queue');
    if (missing.length > 0) void reply.code(HttpStatus.SERVICE_UNAVAILABLE);
    return { ready: missing.length === 0, missing };
  }

  @Get('metrics')
  @Public()
  async prometheus(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    void reply.type('text/plain; version=0.0.4; charset=utf-8');
    return this.metrics.text();
  }

  @Get('api/v1/openapi.json')
  @Public()
  openApi(): object {
    this.#document ??= openApiOf(routesOf(this.discovery), VERSION);
    return this.#document;
  }
}
