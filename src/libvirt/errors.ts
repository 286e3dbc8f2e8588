import { ServiceError } from '../errors.ts';

/** Numbers of libvirt's errors (virterror.h) that make a difference here. */
export const VIR_ERR = {
  INTERNAL_ERROR: 1,
  NO_SUPPORT: 3,
  INVALID_ARG: 8,
  OPERATION_DENIED: 29,
  RPC: 39,
  NO_DOMAIN: 42,
  AUTH_FAILED: 45,
  OPERATION_INVALID: 55,
  AUTH_CANCELLED: 79,
  ACCESS_DENIED: 88,
  AUTH_UNAVAILABLE: 94,
} as const;

/** What libvirt answered to one call. The connection goes on. */
export class LibvirtError extends ServiceError {
  /** The number of the error, one of {@link VIR_ERR} or another. */
  readonly number: number;
  /** The number of the part of libvirt that raised it. */
  readonly domain: number;
  readonly level: number;

  constructor(message: string, number: number, domain: number, level: number) {
    super(message);
    this.number = number;
    this.domain = domain;
    this.level = level;
  }
}

/** The connection is gone or could not be made; every call that was on it ends with this. */
export class ConnectionError extends ServiceError {}

/** No further connection could be made. */
export class UnreachableError extends ServiceError {}

/** True when libvirt does not know the domain any more. */
export function isNoDomain(error: unknown): boolean {
  return error instanceof LibvirtError && error.number === VIR_ERR.NO_DOMAIN;
}

/** True when the driver or the daemon does not know the call or one of its flags. */
export function isUnsupported(error: unknown): boolean {
  if (!(error instanceof LibvirtError)) return false;
  if (error.number === VIR_ERR.NO_SUPPORT) return true;
  return error.number === VIR_ERR.RPC && /unknown procedure/i.test(error.message);
}
