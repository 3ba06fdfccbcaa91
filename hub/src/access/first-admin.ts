import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { Audit } from '../audit/audit.ts';
import { CONFIG, type Config } from '../config.ts';
import { LOGGER, type Logger } from '../telemetry/logger.ts';
import { AccessRepository } from './access.repository.ts';
import { hashPassword } from './password.ts';

/** Makes the account `admin` in an empty database. */
@Injectable()
export class FirstAdmin implements OnModuleInit {
  constructor(
    @Inject(AccessRepository) private readonly repository: AccessRepository,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.repository.transaction(async (trx) => {
      await this.repository.lock(trx); // replicas that start together make one
      if (await this.repository.hasUsers(trx)) return;
      const password = this.config.adminPassword ?? randomBytes(18).toString('base64url');
      const userId = (await this.repository.createUser(trx, 'admin', await hashPassword(password)))!;
      await this.repository.createBinding(trx, {
        user_id: userId,
        group_id: null,
        role: 'admin',
        project: '*',
      });
      await this.audit.record(trx, { actor: 'system', action: 'user.create', object: 'user/admin' });
      if (this.config.adminPassword === undefined) {
        // Written before the commit: an account whose password nobody knows would be worse than a stale file.
        const file = join(this.config.dataDir, 'admin-password');
        writeFileSync(file, `${password}\n`, { mode: 0o600 });
        this.logger.info({ file }, 'made the account admin; its password is in the file');
      }
    });
  }
}
