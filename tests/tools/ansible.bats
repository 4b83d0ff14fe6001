# Stock Ansible: the application of examples/ansible from nothing to nothing, and every module that handles files.
# Takes up to 1800 s.
load ../lib/cloud

setup_file()
{
	command -v ansible-playbook >/dev/null || skip_all "ansible-core is not installed"
	case $EC2FS in */san-*) skip_all "shell.bats builds the same, and Ansible makes no requests that fs/ does not" ;; esac
	[ -z "${SKIP_ALL-}" ] || return 0
	cloud_start
	mkdir images/debian-12
	head -c 1M /dev/zero >images/debian-12/disk
	becomes available images/debian-12/state
}
teardown_file() { [ -z "${CLOUD-}" ] || cloud_stop; }

setup()
{
	cloud_enter
	W=$BATS_TEST_TMPDIR
	REGION=$CLOUD/us-east-1
	EXAMPLE=$BATS_TEST_DIRNAME/../../examples/ansible
	export HOME=$BATS_FILE_TMPDIR ANSIBLE_HOME=$BATS_FILE_TMPDIR/.ansible ANSIBLE_NOCOLOR=1 LC_ALL=C.UTF-8
}

# plays [OPTION…]: the example's playbook; what it says is in $W/said.
plays()
{
	(cd "$EXAMPLE" && ansible-playbook site.yml -e "region=$REGION" "$@") >"$W/said" 2>&1 3>&- ||
		fail "the playbook fails:" "$(grep -v '^included' "$W/said")"
}

# changes COUNT: so many tasks of the last play did.
changes()
{
	tells " changed=$1 .*failed=0" "$W/said"
}

@test "a playbook builds a two-tier application" {
	plays
	lists 'shop-db-1 shop-db-2 shop-web-1 shop-web-2' instances
	for i in instances/*; do
		reads running "$i/state"
		reads t3.micro "$i/instance-type"
		reads prod "$i/tags/env"
		tells "^hostname: ${i##*/}\$" "$i/user-data"
		reads shop "$i/key-pair"
	done
	reads shop/web instances/shop-web-1/subnet
	reads shop/db instances/shop-db-2/subnet
	tells '^198\.51\.100\.' instances/shop-web-1/public-ip-address
	[ ! -s instances/shop-db-1/public-ip-address ]
	lists shop-db instances/shop-db-1/security-groups
	lists 'sdf xvda' instances/shop-db-1/volumes
	reads '10 GiB' volumes/shop-db-1/size
	reads in-use volumes/shop-db-1/state
	reads shop-db-1 <(basename "$(readlink volumes/shop-db-1/attachment)")
	tells '^0.0.0.0/0 internet-gateway active$' vpcs/shop/route-tables/public/effective-routes
	tells '^tcp 22 203.0.113.0/24$' security-groups/shop-web/ingress
	tells '^tcp 5432 sg:shop-web ' security-groups/shop-db/ingress
	grep -q PRIVATE key-pairs/shop/private-key
	[ ! -s "$CLOUD/errors" ]
	[ -z "$(find . -name '.ansible*')" ]
}

@test "a second run changes nothing" {
	ls -lR --time-style=full-iso vpcs security-groups key-pairs volumes >"$W/before"
	plays
	changes 0
	diff "$W/before" <(ls -lR --time-style=full-iso vpcs security-groups key-pairs volumes)
}

@test "a changed variable changes just that" {
	launched=$(cat instances/shop-web-1/launch-time)
	plays -e '{"volume_size": "20 GiB", "office": "192.0.2.0/24", "instance_type": "t3.small"}'
	# The volumes, the rule, and of the instances: stopped, another type, running.
	changes 5
	reads '20 GiB' volumes/shop-db-1/size
	tells '^tcp 22 192.0.2.0/24$' security-groups/shop-web/ingress
	lacks 203.0.113 security-groups/shop-web/ingress
	for i in instances/*; do
		reads t3.small "$i/instance-type"
		reads running "$i/state"
	done
	[ "$launched" != "$(cat instances/shop-web-1/launch-time)" ]
	[ ! -s "$CLOUD/errors" ]
}

@test "state=absent removes it all, and what is gone stays so" {
	plays -e app_state=absent
	lists '' instances
	lists '' volumes
	lists '' key-pairs
	lists default security-groups
	lists default vpcs
	plays -e app_state=absent
	changes 0
}

@test "a refusal is a failed task that tells the errno; nothing changed" {
	mkdir instances/refused
	run ansible localhost -m copy -a "content='t9.huge\n' dest=$REGION/instances/refused/instance-type"
	[ "$status" != 0 ]
	[[ $output == *"failed final rename"*"[Errno 22] Invalid argument"* || $output == *"[Errno 2] No such file"* ]] || fail "$output"
	reads t3.micro instances/refused/instance-type
	tells t9.huge instances/refused/error
	[ -z "$(find instances/refused -name '.*')" ]
	rmdir instances/refused
}

@test "copy, template, lineinfile, blockinfile, replace, file, slurp, find, stat, wait_for" {
	mkdir instances/each security-groups/each
	echo 'tcp 22 {{ net }}  # {{ who }}' >"$W/rules.j2"
	cat >"$W/each.yml" <<-'END'
		- hosts: localhost
		  gather_facts: false
		  vars: {i: "{{ region }}/instances/each", g: "{{ region }}/security-groups/each", net: 192.0.2.0/24, who: office,
		    rules: "tcp 8443 0.0.0.0/0\ntcp 22 192.0.2.0/24  # office\n"}
		  tasks:
		    - copy: {content: "t3.small\n", dest: "{{ i }}/instance-type", mode: "0640"}
		    - copy: {src: "{{ i }}/instance-type", dest: "{{ i }}/tags/type", remote_src: true}
		    - template: {src: rules.j2, dest: "{{ g }}/ingress"}
		    - lineinfile: {path: "{{ g }}/ingress", line: "tcp 443 0.0.0.0/0", insertbefore: BOF}
		    - lineinfile: {path: "{{ i }}/spec", regexp: "^disable-api-stop ", line: "disable-api-stop true"}
		    - lineinfile: {path: "{{ g }}/egress", regexp: "^all ", state: absent}
		    - blockinfile: {path: "{{ i }}/user-data", block: "#!/bin/sh\necho hello", marker: "# {mark}", create: true}
		    - replace: {path: "{{ g }}/ingress", regexp: "443", replace: "8443"}
		    - file: {path: "{{ g }}/description", owner: "12", group: "34", mode: "0600", access_time: preserve, modification_time: preserve}
		    - file: {src: ../../../security-groups/each, path: "{{ i }}/security-groups/each", state: link}
		    - copy: {content: "each\n", dest: "{{ i }}/tags/gone"}
		    - file: {path: "{{ i }}/tags/gone", state: absent}
		    - slurp: {src: "{{ i }}/instance-id"}
		      register: id
		    - find: {paths: "{{ region }}/instances", recurse: true, patterns: instance-type, contains: t3.small, age: "-1h"}
		      register: found
		    - find: {paths: "{{ i }}", patterns: image, age: 1w}
		      register: old
		    - stat: {path: "{{ g }}/ingress", checksum_algorithm: sha256}
		      register: what
		    - wait_for: {path: "{{ i }}/state", search_regex: "^draft$", timeout: 30}
		    - assert:
		        that:
		          - (id.content | b64decode) is match("i-[0-9a-f]{17}\n$")
		          - found.files | length == 1 and old.files | length == 1
		          - what.stat.checksum == (rules | hash("sha256"))
		          - what.stat.size == (rules | length)
	END
	run ansible-playbook -e "region=$REGION" "$W/each.yml"
	[ "$status" = 0 ] || fail "$output"
	reads t3.small instances/each/instance-type
	reads t3.small instances/each/tags/type
	reads true instances/each/disable-api-stop
	printf '# BEGIN\n#!/bin/sh\necho hello\n# END\n' | cmp - instances/each/user-data
	[ ! -s security-groups/each/egress ]
	[ "$(stat -c '%a %u %g' security-groups/each/description)" = '600 12 34' ]
	[ "$(stat -c %a instances/each/instance-type)" = 640 ]
	lists type instances/each/tags
	lists each instances/each/security-groups
	# In --check nothing happens, and --diff shows what would.
	(cd "$W" && ansible localhost --check --diff -m copy -a "content='t3.nano\n' dest=$REGION/instances/each/instance-type") >"$W/said"
	tells '^\+t3.nano$' "$W/said"
	reads t3.small instances/each/instance-type
	rm -r instances/each security-groups/each
	[ -z "$(grep /each "$CLOUD/errors")" ] || fail "$(cat "$CLOUD/errors")"
}
