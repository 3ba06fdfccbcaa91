import type {
  ApiToken,
  CreatedApiToken,
  Group,
  GroupChange,
  Login,
  NewApiToken,
  NewGroup,
  NewRoleBinding,
  NewUser,
  PasswordChange,
  RoleBinding,
  Session,
  User,
  UserChange,
} from './access.ts';
import { type Input, type Paging, at, v1 } from './client-paths.ts';
import type { RequestOptions as Options, Transport } from './client-transport.ts';
import type { Page } from './paging.ts';

/** Who somebody is, and who may what. */
export function sessionRoutes(http: Transport) {
  const path = `${v1}/session`;
  return {
    get: (o?: Options) => http.get<Session>(path, undefined, o),
    /** Logs in; programs get the cookie to make a client with, browsers keep it themselves. */
    login: async (body: Login, o?: Options): Promise<{ session: Session; cookie?: string }> => {
      const response = await http.send('POST', path, { body, ...o });
      const cookie = response.headers.getSetCookie?.()[0]?.split(';', 1)[0];
      return { session: (await response.json()) as Session, ...(cookie && { cookie }) };
    },
    logout: (o?: Options) => http.delete(path, undefined, o),
    changePassword: (body: PasswordChange, o?: Options) =>
      http.json<void>('PUT', `${path}/password`, body, o),
  };
}

export function userRoutes(http: Transport) {
  const path = `${v1}/users`;
  return {
    list: (query: Paging = {}, o?: Options) => http.get<Page<User>>(path, query, o),
    get: (name: string, o?: Options) => http.get<User>(`${path}/${at(name)}`, undefined, o),
    create: (body: NewUser, o?: Options) => http.post<User>(path, body, o),
    change: (name: string, body: UserChange, o?: Options) =>
      http.json<User>('PATCH', `${path}/${at(name)}`, body, o),
    remove: (name: string, o?: Options) => http.delete(`${path}/${at(name)}`, undefined, o),
  };
}

export function groupRoutes(http: Transport) {
  const path = `${v1}/groups`;
  return {
    list: (query: Paging = {}, o?: Options) => http.get<Page<Group>>(path, query, o),
    get: (name: string, o?: Options) => http.get<Group>(`${path}/${at(name)}`, undefined, o),
    create: (body: Input<NewGroup, 'members'>, o?: Options) => http.post<Group>(path, body, o),
    change: (name: string, body: GroupChange, o?: Options) =>
      http.json<Group>('PATCH', `${path}/${at(name)}`, body, o),
    remove: (name: string, o?: Options) => http.delete(`${path}/${at(name)}`, undefined, o),
  };
}

export function roleBindingRoutes(http: Transport) {
  const path = `${v1}/role-bindings`;
  return {
    list: (query: Paging = {}, o?: Options) => http.get<Page<RoleBinding>>(path, query, o),
    create: (body: Input<NewRoleBinding, 'project'>, o?: Options) => http.post<RoleBinding>(path, body, o),
    remove: (id: string, o?: Options) => http.delete(`${path}/${at(id)}`, undefined, o),
  };
}

export function tokenRoutes(http: Transport) {
  const path = `${v1}/tokens`;
  return {
    /** One's own; with `all` everybody's (admin). */
    list: (query: Paging & { all?: boolean } = {}, o?: Options) => http.get<Page<ApiToken>>(path, query, o),
    create: (body: NewApiToken, o?: Options) => http.post<CreatedApiToken>(path, body, o),
    remove: (id: string, o?: Options) => http.delete(`${path}/${at(id)}`, undefined, o),
  };
}
