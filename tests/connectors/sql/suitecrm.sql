CREATE TABLE contacts (id char(36), assigned_user_id char(36), deleted tinyint, date_entered datetime, phone_mobile varchar(100), phone_work varchar(100), phone_home varchar(100), phone_other varchar(100));
CREATE TABLE users (id char(36), user_name varchar(60), first_name varchar(255), last_name varchar(255), status varchar(100), is_group tinyint, portal_only tinyint, deleted tinyint);
CREATE TABLE email_addresses (id char(36), email_address varchar(255), deleted tinyint);
CREATE TABLE email_addr_bean_rel (email_address_id char(36), bean_id char(36), bean_module varchar(100), primary_address tinyint, deleted tinyint);
INSERT INTO users
VALUES
  ('lan', 'lan', 'Lan', 'Nguyễn Thị', 'Active', 0, 0, 0),
  ('minh', 'minh', '', 'Minh', 'Active', NULL, NULL, 0),
  ('nghi', 'nghi', '', 'Nghi', 'Inactive', 0, 0, 0),
  ('group', 'sales', '', 'Sales', 'Active', 1, 0, 0),
  ('gone', 'gone', '', 'Gone', 'Active', 0, 0, 1);
INSERT INTO email_addresses
VALUES
  ('e1', 'lan@congty.example', 0),
  ('e2', 'old@congty.example', 0);
INSERT INTO email_addr_bean_rel
VALUES
  ('e1', 'lan', 'Users', 1, 0),
  ('e2', 'lan', 'Users', 0, 0),
  ('e2', 'minh', 'Users', 1, 1);
INSERT INTO contacts
VALUES
  ('1', 'lan', 0, '2024-01-01', NULL, '', '+84 90 123 45 67', NULL),
  ('2', 'minh', 0, '2025-01-01', '0912345678 / 0901 234 567 ext 12', NULL, NULL, NULL),
  ('3', 'minh', 1, '2025-01-01', '0901234567', NULL, NULL, NULL),
  ('4', 'nghi', 0, '2025-01-01', '0901234567', NULL, NULL, NULL),
  ('5', 'group', 0, '2025-01-01', '0901234567', NULL, NULL, NULL),
  ('6', 'gone', 0, '2025-01-01', '0901234567', NULL, NULL, NULL),
  ('7', 'lan', 0, '2025-01-01', '01234.567.890', NULL, NULL, NULL),
  ('8', 'minh', 0, '2025-01-01', '0901234567 8', NULL, NULL, NULL);
