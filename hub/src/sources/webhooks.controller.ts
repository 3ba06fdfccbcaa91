import { MusterError } from '@muster/base';
import { Controller, HttpCode, Inject, type OnModuleInit, Param, Post, Req } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type ActorRequest, Public } from '../access/decorators.ts';
import { Answers } from '../api/answers.ts';
import { type WebhookEffect, WebhooksService } from './webhooks.service.ts';

const Sender = z.enum(['github', 'gitlab', 'gitea', 'bitbucket']);
type Sender = z.output<typeof Sender>;
const Received = z.object({ repositories: z.number(), applicationSets: z.number() });

const RAW = 'application/x-webhook';

/** Public: each request proves itself by the sender's signature. */
@Controller()
export class WebhooksController implements OnModuleInit {
  constructor(
    @Inject(WebhooksService) private readonly webhooks: WebhooksService,
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
  ) {}

  /** Bodies of webhooks reach the handler as bytes: nothing is parsed that is not verified. */
  onModuleInit(): void {
    const fastify = this.host.httpAdapter?.getInstance() as FastifyInstance | undefined;
    if (!fastify) return;
    fastify.addContentTypeParser(RAW, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    fastify.addHook('onRequest', (request, _reply, done) => {
      if (isWebhook(request)) request.headers['content-type'] = RAW;
      done();
    });
  }

  /** The path that Argo CD's users have configured. */
  @Post('api/webhook')
  @HttpCode(202)
  @Public()
  @Answers(Received, 202)
  async any(@Req() request: ActorRequest): Promise<WebhookEffect> {
    return this.webhooks.receive(request.headers, bodyOf(request));
  }

  @Post('api/v1/webhooks/:sender')
  @HttpCode(202)
  @Public()
  @Answers(Received, 202)
  async one(
    @Param('sender', { schema: Sender }) sender: Sender,
    @Req() request: ActorRequest,
  ): Promise<WebhookEffect> {
    return this.webhooks.receive(request.headers, bodyOf(request), sender);
  }
}

function isWebhook({ url }: FastifyRequest): boolean {
  return /^\/api\/(webhook|v1\/webhooks\/[a-z]+)\/?(\?|$)/.test(url);
}

function bodyOf(request: ActorRequest): Buffer {
  if (!Buffer.isBuffer(request.body)) throw new MusterError('invalid', 'the webhook has no body');
  return request.body;
}
