import { PlanRequest, PlanResult } from '@muster/api';
import { Body, Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Actor } from '../access/actor.ts';
import { Allow, CurrentActor } from '../access/decorators.ts';
import { Answers } from '../api/answers.ts';
import { errorOf, problemOf } from '../api/problem.ts';
import { PlansService } from './plans.service.ts';

const BEAT_MS = 10_000;

@Controller('api/v1/plan')
export class PlansController {
  constructor(@Inject(PlansService) private readonly plans: PlansService) {}

  /**
   * What a change would do. Hanging up ends it. With `Accept: application/x-ndjson` the answer is a stream of lines:
   * `{"progress": …}`, at last `{"result": …}` or `{"problem": …}`.
   */
  @Post()
  @HttpCode(200)
  @Allow('viewer', { project: 'any' })
  @Answers(PlanResult)
  async plan(
    @Body({ schema: PlanRequest }) body: PlanRequest,
    @CurrentActor() actor: Actor,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    if (!(request.headers.accept ?? '').includes('application/x-ndjson')) {
      const result = await this.plans.plan(body, actor, () => undefined, gone.signal);
      void reply.send(result);
      return;
    }
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, {
      'content-type': 'application/x-ndjson; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    });
    let last = 'starting';
    const write = (line: object) => {
      if (!raw.destroyed) raw.write(`${JSON.stringify(line)}\n`);
    };
    const beat = setInterval(() => write({ progress: last }), BEAT_MS);
    const say = (progress: string) => write({ progress: (last = progress) });
    try {
      write({ result: await this.plans.plan(body, actor, say, gone.signal) });
    } catch (thrown) {
      write({ problem: problemOf(errorOf(thrown), request.id) });
    } finally {
      clearInterval(beat);
      raw.end();
    }
  }
}
