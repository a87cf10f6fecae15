.PHONY: demo test test-fast bench

demo:
	python3 manage.py demo

test:
	python3 manage.py test

test-fast:
	python3 manage.py test --fast

bench:
	python3 manage.py bench
