package service_test

// The names of the roots.
const (
	rootGet    = "GET /users/{id}"
	rootPut    = "PUT /users/{id}"
	rootRepair = "repair users"
)

// The traces as [tree] prints them.
const (
	treePut = `PUT /users/{id} (server)
  UPSERT users (client)
  set users (internal) cache.name=users consistent=true l1.outcome=applied l2.outcome=applied operation.name=set policy.name=conditional write.condition=source
    set users l2 (internal) cache.name=users operation.name=set outcome=applied tier.name=l2
      evalsha (client)
    set users l1 (internal) cache.name=users operation.name=set outcome=applied tier.name=l1
`

	treeDivergedPut = `PUT /users/{id} (server)
  UPSERT users (client)
  set users (internal) Error cache.name=users consistent=false error.type=timeout l1.outcome=skipped l2.outcome=unknown operation.name=set policy.name=conditional write.condition=source
    ! tiercache.inconsistency cache.name=users error.type=timeout inconsistency.compensation=applied inconsistency.resolved=false inconsistency.stale_tier=l1 l1.outcome=skipped l2.outcome=unknown operation.name=set policy.name=conditional
    set users l2 (internal) Error cache.name=users error.type=timeout operation.name=set outcome=unknown tier.name=l2
      evalsha (client) Error
    invalidate users l1 (internal) cache.name=users operation.name=invalidate outcome=applied tier.name=l1
`

	// Redis goes on before the deadline of the write, and executes it. The repair looks
	// after that; its script is new to the server.
	treeRepair = `repair users (internal) cache.name=users ledger.cause=unknown operation.name=repair repair.resolution=applied
  get users l1 (internal) cache.name=users lookup.result=miss operation.name=get tier.name=l1
  get users l2 (internal) cache.name=users lookup.result=hit operation.name=get tier.name=l2
    evalsha (client) Error
    eval (client)
  invalidate users l1 (internal) cache.name=users operation.name=invalidate outcome=applied tier.name=l1
`

	treeHitL1 = `GET /users/{id} (server)
`

	treeHitL2 = `GET /users/{id} (server)
  get users (internal) cache.name=users operation.name=get policy.name=sequential read.result=hit refill.outcome=applied tier.name=l2
    get users l2 (internal) cache.name=users lookup.result=hit operation.name=get tier.name=l2
      get (client)
    refill users l1 (internal) cache.name=users operation.name=refill outcome=applied tier.name=l1
`

	treeLoad = `GET /users/{id} (server)
  get users (internal) cache.name=users operation.name=get policy.name=sequential read.result=load refill.outcome=applied
    get users l2 (internal) cache.name=users lookup.result=miss operation.name=get tier.name=l2
      get (client)
    load users (internal) cache.name=users operation.name=load
      SELECT users (client)
    set users (internal) cache.name=users consistent=true l1.outcome=applied l2.outcome=applied operation.name=set policy.name=conditional write.condition=source
      set users l2 (internal) cache.name=users operation.name=set outcome=applied tier.name=l2
        evalsha (client)
      set users l1 (internal) cache.name=users operation.name=set outcome=applied tier.name=l1
`

	treeMiss = `GET /users/{id} (server)
  get users (internal) cache.name=users operation.name=get policy.name=sequential read.result=miss
    get users l2 (internal) cache.name=users lookup.result=miss operation.name=get tier.name=l2
      get (client)
    load users (internal) cache.name=users operation.name=load
      SELECT users (client)
`

	treeLoadWithoutL2 = `GET /users/{id} (server)
  get users (internal) cache.name=users operation.name=get policy.name=sequential read.result=load refill.outcome=failed
    get users l2 (internal) Error cache.name=users error.type=timeout lookup.result=error operation.name=get tier.name=l2
      get (client) Error
    load users (internal) cache.name=users operation.name=load
      SELECT users (client)
    set users (internal) Error cache.name=users consistent=false error.type=timeout l1.outcome=applied l2.outcome=failed operation.name=set policy.name=conditional write.condition=source
      ! tiercache.inconsistency cache.name=users error.type=timeout inconsistency.compensation=none inconsistency.resolved=false inconsistency.stale_tier=l2 l1.outcome=applied l2.outcome=failed operation.name=set policy.name=conditional
      set users l2 (internal) Error cache.name=users error.type=timeout operation.name=set outcome=failed tier.name=l2
        evalsha (client) Error
      set users l1 (internal) cache.name=users operation.name=set outcome=applied tier.name=l1
`
)
