import { MusterError } from '@muster/base';
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AccessService } from './access.service.ts';
import { Authentication } from './authentication.ts';
import { ACCESS_RULE, type AccessRule, type ActorRequest } from './decorators.ts';

/** Denies every route but what its `@Allow` or `@Public` lets in. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    @Inject(Reflector) private readonly reflector: Reflector,
    @Inject(Authentication) private readonly authentication: Authentication,
    @Inject(AccessService) private readonly access: AccessService,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<ActorRequest>();
    const rule = this.reflector.getAllAndOverride<AccessRule | undefined>(ACCESS_RULE, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (!rule) throw new MusterError('forbidden', 'this route lets nobody in');
    if (rule.kind === 'public') return true;

    const actor = await this.authentication.actorOf(request);
    if (!actor) {
      throw new MusterError('unauthenticated', 'log in first', {
        hint: 'POST /api/v1/session, or send an API token as Authorization: Bearer.',
      });
    }
    request.actor = actor;
    if (rule.kind === 'authenticated') return true;

    if (rule.project === 'any') {
      const visible = this.access.visibleProjects(actor, rule.role);
      if (visible !== '*' && visible.length === 0) this.access.requireSomewhere(rule.role);
    } else {
      this.access.require(actor, rule.role, rule.project?.(request));
    }
    return true;
  }
}
