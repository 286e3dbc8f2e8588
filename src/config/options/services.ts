import type { OptionGroup } from '../option.ts';

const serviceType = (name: string, type: string) =>
  ({ type: 'string', default: type, help: `Type of ${name} in the service catalogue.` }) as const;

const value = (help: string) => ({ type: 'string', help }) as const;
const hidden = (help: string) => ({ type: 'string', secret: true, help }) as const;

/** Names of the endpoints in the service catalogue that the pollsters of the namespace central ask. */
export const serviceTypesOptions = {
  aodh: serviceType('Aodh', 'alarming'),
  cinder: serviceType('Cinder', 'volumev3'),
  designate: serviceType('Designate', 'dns'),
  manila: serviceType('Manila', 'sharev2'),
  neutron: serviceType('Neutron', 'network'),
  nova: serviceType('Nova', 'compute'),
  octavia: serviceType('Octavia', 'load-balancer'),
  radosgw: value('Type of the RADOS gateway in the service catalogue.'),
  swift: serviceType('Swift', 'object-store'),
} as const satisfies OptionGroup;

/** keystoneauth's session options, and those of its plugins for passwords, tokens and application credentials. */
const otherKinds = 'only passwords, application credentials and services without Keystone are supported';

/**
 * keystoneauth's session options, and those of its plugins for passwords and application credentials. With
 * `auth_section` the latter come from that group.
 */
export const credentialsOptions = {
  auth_type: {
    ...value(
      'Kind of credentials: password, v3password or v3applicationcredential; for a service without Keystone none, gnocchi-basic or gnocchi-noauth.',
    ),
    deprecated: [['service_credentials', 'auth_plugin']],
  },
  auth_section: value('Group that has the credentials instead of this one; how services are reached stays here.'),
  auth_url: value('URL of Keystone, with or without /v3.'),
  username: { ...value('Name of the user.'), deprecated: [['service_credentials', 'user_name']] },
  user_id: value('Id of the user.'),
  password: hidden('Password of the user.'),
  user_domain_id: value('Id of the domain of the user.'),
  user_domain_name: value('Name of the domain of the user.'),
  project_id: {
    ...value('Id of the project to work in.'),
    deprecated: [['service_credentials', 'tenant_id']],
  },
  project_name: {
    ...value('Name of the project to work in.'),
    deprecated: [['service_credentials', 'tenant_name']],
  },
  project_domain_id: value('Id of the domain of the project.'),
  project_domain_name: value('Name of the domain of the project.'),
  domain_id: value('Id of the domain to work in.'),
  domain_name: value('Name of the domain to work in.'),
  system_scope: value('Work on the system as a whole: all.'),
  trust_id: value('Id of the trust to use.'),
  default_domain_id: value('Id of the domain of user and project where none is given. For auth_type password.'),
  default_domain_name: value('Name of the domain of user and project where none is given. For auth_type password.'),
  token: { ...hidden('Token to log in with.'), noEffect: otherKinds },
  endpoint: value('URL of the service, for credentials that know no catalogue.'),
  user: value('Name of the user. For auth_type gnocchi-basic.'),
  roles: value('Roles that are claimed, separated by commas. For auth_type gnocchi-noauth.'),
  application_credential_id: value('Id of the application credential.'),
  application_credential_name: value('Name of the application credential, together with its user.'),
  application_credential_secret: hidden('Secret of the application credential.'),
  passcode: { ...hidden('One-time password.'), noEffect: otherKinds },
  cafile: {
    ...value('Certificates of the authorities that services are checked against.'),
    shownDefault: 'those that this machine trusts',
  },
  certfile: value('Certificate that the agent shows to services.'),
  keyfile: value('Private key of that certificate, where its file does not hold it.'),
  insecure: { type: 'boolean', default: false, help: 'Do not check the certificates of services.' },
  timeout: { type: 'float', min: 0.001, shownDefault: '60', help: 'Seconds that a request has, its answer included.' },
  collect_timing: {
    type: 'boolean',
    default: false,
    noEffect: 'requests are timed in the metrics',
    help: 'Measure how long requests take.',
  },
  split_loggers: {
    type: 'boolean',
    default: false,
    noEffect: "it configures Python's logging",
    help: 'Log parts of requests to loggers of their own.',
  },
  region_name: {
    ...value('Region whose endpoints are used; empty means any.'),
    deprecated: [['DEFAULT', 'os_region_name']],
    variables: ['OS_REGION_NAME'],
  },
  interface: {
    type: 'string',
    default: 'public',
    choices: ['public', 'internal', 'admin', 'auth', 'publicURL', 'internalURL', 'adminURL'],
    deprecated: [['service_credentials', 'os_endpoint_type']],
    variables: ['OS_INTERFACE', 'OS_ENDPOINT_TYPE'],
    help: 'Kind of endpoint that is used; auth means Keystone itself.',
  },
} as const satisfies OptionGroup;

export const gnocchiOptions = {
  auth_section: {
    type: 'string',
    default: 'service_credentials',
    help: 'Group with the credentials for Gnocchi; how services are reached stays in [service_credentials].',
  },
} as const satisfies OptionGroup;

export const rgwAdminCredentialsOptions = {
  access_key: hidden('Access key of the RADOS gateway.'),
  secret_key: hidden('Secret key of the RADOS gateway.'),
} as const satisfies OptionGroup;

export const rgwClientOptions = {
  implicit_tenants: {
    type: 'boolean',
    default: false,
    help: 'Whether the gateway puts each user into a tenant of its own.',
  },
  rgw_service_name: value('Name of the gateway in the service catalogue; empty means by type.'),
  insecure: { type: 'boolean', default: true, help: 'Do not check the certificate of the gateway.' },
  cafile: value('Certificates of the authorities that the gateway is checked against.'),
  tls_min_version: { type: 'string', choices: ['1.2', '1.3'], help: 'Lowest TLS version: 1.2 or 1.3.' },
  tls_max_version: { type: 'string', choices: ['1.2', '1.3'], help: 'Highest TLS version: 1.2 or 1.3.' },
} as const satisfies OptionGroup;
