package errtype

// The methods of a stranger's error may panic: that of a typed nil often does.
// Each function of this file calls one and turns a panic into "no answer".

// declared returns the result of err's method ErrorType() string, and false if it has
// none. After a panic the name is empty, which is not valid.
func declared(err error) (name string, ok bool) {
	typed, ok := err.(interface{ ErrorType() string })
	if !ok {
		return "", false
	}
	defer func() { _ = recover() }()
	return typed.ErrorType(), true
}

// unwrap returns the errors, or the one error, that err wraps.
func unwrap(err error) (branches []error, next error) {
	defer func() {
		if recover() != nil {
			branches, next = nil, nil
		}
	}()
	switch e := err.(type) { //nolint:errorlint // the walker unwraps
	case interface{ Unwrap() error }:
		return nil, e.Unwrap()
	case interface{ Unwrap() []error }:
		return e.Unwrap(), nil
	default:
		return nil, nil
	}
}

// is reports whether err is target or says so by a method Is. It does not unwrap.
func is(err, target error) (ok bool) {
	if err == target { //nolint:errorlint // the walker unwraps
		return true
	}
	claims, hasIs := err.(interface{ Is(target error) bool })
	if !hasIs {
		return false
	}
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	return claims.Is(target)
}

// timedOut reports whether err says by a method Timeout that it is a timeout.
func timedOut(err error) (ok bool) {
	e, has := err.(interface{ Timeout() bool })
	if !has {
		return false
	}
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	return e.Timeout()
}
