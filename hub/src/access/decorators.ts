import { type ExecutionContext, SetMetadata, createParamDecorator } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Actor } from './actor.ts';
import type { Role } from './roles.ts';

/** A request that passed the guard carries its actor. */
export type ActorRequest = FastifyRequest & { actor?: Actor; rawBody?: Buffer };

export const ACCESS_RULE = Symbol('access rule');

/** `any`: the role in at least one project is enough, and the handler filters what it returns. */
export type ProjectOf = 'any' | ((request: FastifyRequest) => string | undefined);

export type AccessRule =
  | { kind: 'public' }
  | { kind: 'authenticated' }
  | { kind: 'role'; role: Role; project: ProjectOf | undefined };

/**
 * Who may call a route. Without a project the role is needed for all projects; with a function, for the project that
 * it finds in the request (undefined: for all). Routes without a rule are denied, and the app refuses to start.
 * `authenticated` lets in anyone who is logged in; the handler limits them to what is their own.
 */
export function Allow(role: Role | 'authenticated', options: { project?: ProjectOf } = {}) {
  const rule: AccessRule =
    role === 'authenticated' ? { kind: 'authenticated' } : { kind: 'role', role, project: options.project };
  return SetMetadata(ACCESS_RULE, rule);
}

/** Anyone may call the route, logged in or not. */
export function Public() {
  const rule: AccessRule = { kind: 'public' };
  return SetMetadata(ACCESS_RULE, rule);
}

/** The actor of the request: `list(@CurrentActor() actor: Actor)`. On a public route it may be undefined. */
export const CurrentActor = createParamDecorator(
  (_data: unknown, context: ExecutionContext): Actor | undefined =>
    context.switchToHttp().getRequest<ActorRequest>().actor,
);
