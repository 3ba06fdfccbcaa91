export { type TestDatabase, startTestDatabase } from './database.ts';
export { ADMIN_PASSWORD, type TestHub, startTestHub } from './hub.ts';
