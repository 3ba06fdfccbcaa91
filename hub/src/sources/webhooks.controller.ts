import { MusterError } from '@muster/base';
import { Controller, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { z } from 'zod';
import { type ActorRequest, Public } from '../access/decorators.ts';
import { Answers } from '../api/answers.ts';
import { WebhooksService } from './webhooks.service.ts';

const Sender = z.enum(['github', 'gitlab', 'gitea', 'bitbucket']);
type Sender = z.output<typeof Sender>;
const Received = z.object({ repositories: z.number() });

/** Public: each request proves itself by the sender's signature. */
@Controller()
export class WebhooksController {
  constructor(@Inject(WebhooksService) private readonly webhooks: WebhooksService) {}

  /** The path that Argo CD's users have configured. */
  @Post('api/webhook')
  @HttpCode(202)
  @Public()
  @Answers(Received, 202)
  async any(@Req() request: ActorRequest): Promise<{ repositories: number }> {
    return { repositories: await this.webhooks.receive(request.headers, bodyOf(request)) };
  }

  @Post('api/v1/webhooks/:sender')
  @HttpCode(202)
  @Public()
  @Answers(Received, 202)
  async one(
    @Param('sender', { schema: Sender }) sender: Sender,
    @Req() request: ActorRequest,
  ): Promise<{ repositories: number }> {
    return { repositories: await this.webhooks.receive(request.headers, bodyOf(request), sender) };
  }
}

function bodyOf(request: ActorRequest): Buffer {
  if (!request.rawBody) throw new MusterError('invalid', 'the webhook has no body');
  return request.rawBody;
}
