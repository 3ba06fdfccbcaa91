import {
  ApiToken,
  CreatedApiToken,
  Group,
  GroupChange,
  Login,
  NewApiToken,
  NewGroup,
  NewRoleBinding,
  NewUser,
  PageQuery,
  PasswordChange,
  RoleBinding,
  Session,
  User,
  UserChange,
  pageOf,
} from '@muster/api';
import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  Put,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Answers } from '../api/answers.ts';
import { AccessService } from './access.service.ts';
import type { Actor } from './actor.ts';
import { Authentication } from './authentication.ts';
import { Allow, CurrentActor, Public } from './decorators.ts';
import { DirectoryService } from './directory.service.ts';

const Id = z.uuid();
const TokensQuery = PageQuery.extend({ all: z.stringbool().optional() });
type TokensQuery = z.output<typeof TokensQuery>;

/** Logging in and out, and who one is. */
@Controller('api/v1/session')
export class SessionController {
  constructor(
    @Inject(Authentication) private readonly authentication: Authentication,
    @Inject(DirectoryService) private readonly directory: DirectoryService,
  ) {}

  @Post()
  @Public()
  @HttpCode(200)
  @Answers(Session)
  async login(
    @Body({ schema: Login }) { name, password }: Login,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Session> {
    const { cookie, actor } = await this.authentication.login(request, name, password);
    void reply.header('set-cookie', cookie).header('cache-control', 'no-store');
    return sessionOf(actor);
  }

  @Get()
  @Allow('authenticated')
  @Answers(Session)
  current(@CurrentActor() actor: Actor): Session {
    return sessionOf(actor);
  }

  @Delete()
  @Allow('authenticated')
  @HttpCode(204)
  async logout(@CurrentActor() actor: Actor, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    void reply.header('set-cookie', await this.authentication.logout(actor));
  }

  @Put('password')
  @Allow('authenticated')
  @HttpCode(204)
  async changePassword(
    @CurrentActor() actor: Actor,
    @Body({ schema: PasswordChange }) { current, password }: PasswordChange,
  ): Promise<void> {
    await this.directory.changePassword(actor, current, password);
  }
}

@Controller('api/v1/users')
export class UsersController {
  constructor(@Inject(DirectoryService) private readonly directory: DirectoryService) {}

  @Get()
  @Allow('admin')
  @Answers(pageOf(User))
  list(@Query({ schema: PageQuery }) query: PageQuery) {
    return this.directory.users(query);
  }

  @Post()
  @Allow('admin')
  @Answers(User, 201)
  create(@CurrentActor() actor: Actor, @Body({ schema: NewUser }) user: NewUser) {
    return this.directory.createUser(actor, user);
  }

  @Get(':name')
  @Allow('admin')
  @Answers(User)
  get(@Param('name') name: string) {
    return this.directory.user(name);
  }

  @Patch(':name')
  @Allow('admin')
  @Answers(User)
  change(
    @CurrentActor() actor: Actor,
    @Param('name') name: string,
    @Body({ schema: UserChange }) change: UserChange,
  ) {
    return this.directory.changeUser(actor, name, change);
  }

  @Delete(':name')
  @Allow('admin')
  @HttpCode(204)
  async remove(@CurrentActor() actor: Actor, @Param('name') name: string): Promise<void> {
    await this.directory.deleteUser(actor, name);
  }
}

@Controller('api/v1/groups')
export class GroupsController {
  constructor(@Inject(DirectoryService) private readonly directory: DirectoryService) {}

  @Get()
  @Allow('admin')
  @Answers(pageOf(Group))
  list(@Query({ schema: PageQuery }) query: PageQuery) {
    return this.directory.groups(query);
  }

  @Post()
  @Allow('admin')
  @Answers(Group, 201)
  create(@CurrentActor() actor: Actor, @Body({ schema: NewGroup }) group: NewGroup) {
    return this.directory.createGroup(actor, group);
  }

  @Get(':name')
  @Allow('admin')
  @Answers(Group)
  get(@Param('name') name: string) {
    return this.directory.group(name);
  }

  @Patch(':name')
  @Allow('admin')
  @Answers(Group)
  change(
    @CurrentActor() actor: Actor,
    @Param('name') name: string,
    @Body({ schema: GroupChange }) { members }: GroupChange,
  ) {
    return this.directory.changeGroup(actor, name, members);
  }

  @Delete(':name')
  @Allow('admin')
  @HttpCode(204)
  async remove(@CurrentActor() actor: Actor, @Param('name') name: string): Promise<void> {
    await this.directory.deleteGroup(actor, name);
  }
}

@Controller('api/v1/role-bindings')
export class RoleBindingsController {
  constructor(@Inject(DirectoryService) private readonly directory: DirectoryService) {}

  @Get()
  @Allow('admin')
  @Answers(pageOf(RoleBinding))
  list(@Query({ schema: PageQuery }) query: PageQuery) {
    return this.directory.bindings(query);
  }

  @Post()
  @Allow('admin')
  @Answers(RoleBinding, 201)
  create(@CurrentActor() actor: Actor, @Body({ schema: NewRoleBinding }) binding: NewRoleBinding) {
    return this.directory.createBinding(actor, binding);
  }

  @Delete(':id')
  @Allow('admin')
  @HttpCode(204)
  async remove(@CurrentActor() actor: Actor, @Param('id', { schema: Id }) id: string): Promise<void> {
    await this.directory.deleteBinding(actor, id);
  }
}

/** One's own API tokens; an admin sees and revokes those of everybody with `all=true`. */
@Controller('api/v1/tokens')
export class TokensController {
  constructor(
    @Inject(DirectoryService) private readonly directory: DirectoryService,
    @Inject(AccessService) private readonly access: AccessService,
  ) {}

  @Get()
  @Allow('authenticated')
  @Answers(pageOf(ApiToken))
  list(@CurrentActor() actor: Actor, @Query({ schema: TokensQuery }) { all, ...page }: TokensQuery) {
    if (all) this.access.require(actor, 'admin');
    return this.directory.tokens(page, all ? undefined : actor.userId);
  }

  @Post()
  @Allow('authenticated')
  @Answers(CreatedApiToken, 201)
  create(@CurrentActor() actor: Actor, @Body({ schema: NewApiToken }) token: NewApiToken) {
    return this.directory.createToken(actor, token);
  }

  @Delete(':id')
  @Allow('authenticated')
  @HttpCode(204)
  async remove(@CurrentActor() actor: Actor, @Param('id', { schema: Id }) id: string): Promise<void> {
    await this.directory.deleteToken(
      actor,
      id,
      this.access.allows(actor, 'admin') ? undefined : actor.userId,
    );
  }
}

function sessionOf(actor: Actor): Session {
  return {
    name: actor.userName!,
    kind: actor.kind === 'token' ? 'token' : 'user',
    grants: actor.grants,
    ...(actor.expiresAt && { expiresAt: actor.expiresAt.toISOString() }),
  };
}
